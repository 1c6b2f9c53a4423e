// A client's pool of connections to shop-db. A connection is a real socket; who gets none within the limit fails with
// the pool's own words. What a caller does not give back stays in use.
import { Agent } from 'node:http'
import type { Caller } from './call.ts'
import { addGauge } from './gauge.ts'
import type { ShopMetrics } from './metrics.ts'
import { ShopError } from './shop-error.ts'

export type SqlValue = string | number | null
export type Row = Readonly<Record<string, SqlValue>>

export interface Statement {
  readonly sql: string
  readonly params: readonly SqlValue[]
}

export interface DbConnection {
  /** The statements run in one transaction; the rows of the last are returned. `name` is the metrics' label. */
  run(name: string, statements: readonly Statement[], requestId?: string): Promise<readonly Row[]>
  release(): void
}

export interface DbPool {
  acquire(): Promise<DbConnection>
  query(name: string, sql: string, params: readonly SqlValue[], requestId?: string): Promise<readonly Row[]>
  transaction(name: string, statements: readonly Statement[], requestId?: string): Promise<readonly Row[]>
  close(): void
}

export interface DbPoolOptions {
  readonly max: number
  readonly acquireTimeoutMs: number
  readonly queryTimeoutMs: number
}

export function createDbPool(call: Caller, metrics: ShopMetrics, options: DbPoolOptions): DbPool {
  const idle: Agent[] = []
  const waiting: { give: (agent: Agent) => void; timer: NodeJS.Timeout }[] = []
  let inUse = 0
  const querySeconds = metrics.querySeconds()
  addPoolGauges(metrics, options.max, () => ({ inUse, idle: idle.length, waiting: waiting.length }))

  const take = (): Promise<Agent> => {
    const ready = idle.pop()
    if (ready || inUse < options.max) {
      inUse++
      return Promise.resolve(ready ?? new Agent({ keepAlive: true, maxSockets: 1 }))
    }
    const { promise, resolve, reject } = Promise.withResolvers<Agent>()
    const timer = setTimeout(() => {
      const at = waiting.indexOf(place)
      if (at >= 0) waiting.splice(at, 1)
      const told = `${inUse} of ${options.max} in use, ${waiting.length} waiting`
      reject(new ShopError(503, `pool timeout: no database connection within ${options.acquireTimeoutMs} ms (${told})`))
    }, options.acquireTimeoutMs)
    const place = { give: resolve, timer }
    waiting.push(place)
    return promise
  }
  const giveBack = (agent: Agent) => {
    const next = waiting.shift()
    if (next) {
      clearTimeout(next.timer)
      next.give(agent)
      return
    }
    inUse--
    idle.push(agent)
  }

  const acquire = async (): Promise<DbConnection> => {
    const agent = await take()
    return {
      run: async (name, statements, requestId) => {
        const stop = querySeconds.startTimer({ query: name })
        try {
          const body = { name, statements }
          const answer = (await call('shop-db', 'POST', '/execute', {
            agent,
            body,
            requestId,
            timeoutMs: options.queryTimeoutMs,
          })) as { rows: Row[] }
          return answer.rows
        } finally {
          stop()
        }
      },
      release: () => giveBack(agent),
    }
  }
  const transaction: DbPool['transaction'] = async (name, statements, requestId) => {
    const connection = await acquire()
    try {
      return await connection.run(name, statements, requestId)
    } finally {
      connection.release()
    }
  }
  return {
    acquire,
    transaction,
    query: (name, sql, params, requestId) => transaction(name, [{ sql, params }], requestId),
    close: () => idle.forEach((agent) => agent.destroy()),
  }
}

function addPoolGauges(
  metrics: ShopMetrics,
  max: number,
  state: () => { inUse: number; idle: number; waiting: number },
): void {
  addGauge(
    metrics.registry,
    { name: 'db_pool_connections', help: 'Connections of the pool to the database', labels: ['state'] },
    (gauge) => {
      gauge.set({ state: 'in_use' }, state().inUse)
      gauge.set({ state: 'idle' }, state().idle)
    },
  )
  addGauge(metrics.registry, { name: 'db_pool_max', help: 'Most connections the pool may open' }, (gauge) =>
    gauge.set(max),
  )
  addGauge(metrics.registry, { name: 'db_pool_waiting', help: 'Requests waiting for a connection' }, (gauge) =>
    gauge.set(state().waiting),
  )
}
