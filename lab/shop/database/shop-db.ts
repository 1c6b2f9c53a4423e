// The shop's database server: SQL over HTTP and JSON, so many connections and no more, one executor behind them.
// A query's time is measured from its arrival, waiting included, as its client feels it.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import type { MakeService } from '../context.ts'
import type { Row, Statement } from '../db-pool.ts'
import { parseBody } from '../parse-body.ts'
import { ShopError } from '../shop-error.ts'
import type { FromExecutor, ToExecutor } from './executor.ts'

const value = z.union([z.string(), z.number(), z.null()])
const execute = z.object({
  name: z.string(),
  statements: z.array(z.object({ sql: z.string(), params: z.array(value) })).min(1),
})

interface Waiting {
  readonly resolve: (rows: readonly Row[]) => void
  readonly reject: (error: Error) => void
}

export const shopDb: MakeService = async ({ volume, metrics, log, amount, behaviour, flags }) => {
  const disk = volume()
  const maxConnections = amount('maxConnections', 80)
  const querySeconds = metrics.querySeconds()
  const connections = new WeakSet<object>()
  let open = 0
  let lastId = 0
  const waiting = new Map<number, Waiting>()

  const executor = new Worker(new URL('./executor.ts', import.meta.url), {
    workerData: { file: join(disk.dir, 'shop.db'), withoutIndex: behaviour.withoutIndex },
  })
  const tell = (message: ToExecutor) => executor.postMessage(message)
  const ready = Promise.withResolvers<void>()
  executor.on('error', (error) => {
    log.fatal(`the executor failed: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  })
  executor.on('message', (message: FromExecutor) => {
    switch (message.type) {
      case 'ready':
        return ready.resolve()
      case 'report':
        querySeconds.observe({ query: 'sales_report' }, message.seconds)
        if (message.seconds > 0.3) log.warn(`slow query sales_report took ${Math.round(message.seconds * 1000)} ms`)
        return
      case 'rows':
        waiting.get(message.id)?.resolve(message.rows)
        return void waiting.delete(message.id)
      case 'failed':
        waiting.get(message.id)?.reject(new ShopError(500, `query failed: ${message.message}`))
        return void waiting.delete(message.id)
    }
  })
  await ready.promise
  tell({ type: 'reports', on: flags()['report-jobs'] === 'on' })

  const admit = (connection: object) => {
    if (connections.has(connection)) return
    if (open >= maxConnections) throw new ShopError(503, `too many connections: ${open} of ${maxConnections}`)
    connections.add(connection)
    open++
    ;(connection as { once(event: 'close', listener: () => void): void }).once('close', () => open--)
  }
  const run = (statements: readonly Statement[]): Promise<readonly Row[]> => {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Row[]>()
    const id = ++lastId
    waiting.set(id, { resolve, reject })
    tell({ type: 'run', id, statements })
    return promise
  }
  return {
    routes: [
      {
        method: 'POST',
        path: '/execute',
        handle: async ({ body, connection }) => {
          admit(connection)
          const { name, statements } = parseBody(execute, body)
          const stop = querySeconds.startTimer({ query: name })
          try {
            return { rows: await run(statements) }
          } finally {
            stop()
          }
        },
      },
    ],
    flags: (now) => tell({ type: 'reports', on: now['report-jobs'] === 'on' }),
    trouble: (trouble) => {
      if (trouble.kind === 'heavy-report') tell({ ...trouble, type: 'heavy-report' })
      if (trouble.kind === 'no-report' || trouble.kind === 'well') tell({ type: 'no-report' })
    },
    stop: async () => {
      await executor.terminate()
    },
  }
}
