import { createServer, type AddressInfo, type Socket } from 'node:net'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import type { Seen } from '../sampling/sampler.ts'
import { maskSql } from './mask-sql.ts'
import { createPostgresSources, type PostgresSources } from './postgres.ts'
import { postgresPrograms, type PostgresServer, startPostgres } from './testing/server.ts'

const never = new AbortController().signal
const valueOf = (seen: Seen | undefined, name: string, ...labels: string[]): number | undefined =>
  seen?.samples.find((one) => one.name === name && labels.every((value) => one.labels.some(([, has]) => has === value)))
    ?.value

describe.skipIf(postgresPrograms === undefined)('a PostgreSQL', () => {
  let server: PostgresServer
  const opened: (() => Promise<unknown>)[] = []
  beforeAll(async () => {
    server = await startPostgres(['max_connections=12', 'superuser_reserved_connections=1'])
  }, 30_000)
  afterAll(async () => {
    for (const close of opened.reverse()) await close()
    await server.stop()
  })
  const sources = (url = server.url(), more: { password?: Secret; timeoutMs?: number } = {}): PostgresSources => {
    const { timeoutMs = 5000, ...rest } = more
    const made = createPostgresSources({ databases: [{ service: 'orders-db', url, ...rest }], timeoutMs })
    opened.push(() => made.close())
    return made
  }
  const client = async (name: string) => {
    const one = new Client({ connectionString: server.url(), application_name: name })
    one.on('error', () => undefined)
    await one.connect()
    opened.push(() => one.end())
    return one
  }

  test('tells connections, transactions, locks and dead rows, and who makes whom wait, without the values in their queries', async () => {
    const [holder, waiter] = [await client('batch'), await client('checkout')]
    await holder.query('create table orders (id int primary key, card text)')
    await holder.query("insert into orders select i, '4111' from generate_series(1, 50) i")
    await holder.query('begin')
    await holder.query("update orders set card = '4111-1111-hunter2' where id = 7")
    const waiting = waiter.query("update orders set card = '4222-hunter3' where id = 7").catch(() => undefined)
    const { places, logs } = sources()
    const look = async (atMs: number) => (await places[0]?.look(atMs, never)) as Seen
    await expect.poll(async () => valueOf(await look(1), 'pg_lock_waiters'), { timeout: 5000 }).toBe(1)
    // Who waits is only told once it has lasted.
    await expect
      .poll(
        async () => {
          await look(2000)
          return (await logs.read({ fromMs: 2000, toMs: 2000, limit: 10 }, never)).lines.length
        },
        { timeout: 5000, interval: 200 },
      )
      .toBe(1)
    const seen = await look(3000)
    expect(seen.problem).toBe('')
    expect(valueOf(seen, 'up')).toBe(1)
    expect(valueOf(seen, 'pg_connections_max')).toBe(12)
    expect(valueOf(seen, 'pg_connections_in_use')).toBe(3)
    expect(valueOf(seen, 'pg_backends', 'idle in transaction')).toBe(1)
    expect(valueOf(seen, 'pg_backends', 'active', 'Lock')).toBe(1)
    expect(valueOf(seen, 'pg_longest_transaction_seconds')).toBeGreaterThan(1)
    expect(valueOf(seen, 'pg_transactions_total', 'committed')).toBeGreaterThan(0)
    expect(valueOf(seen, 'pg_table_dead_rows', 'public.orders')).toBeGreaterThanOrEqual(0)
    const { lines } = await logs.read(
      { fromMs: 0, toMs: 3000, services: ['orders-db'], minLevel: 'warn', limit: 1 },
      never,
    )
    expect(lines[0]?.message).toMatch(
      /^backend \d+ of checkout has waited \d+ s for a lock on orders that backend \d+ of batch holds \(idle in transaction, its transaction is \d+ s old\)\. It wants: update orders set card = \? where id = \?\. The holder's: update orders set card = \? where id = \?$/,
    )
    expect(await logs.findLine(lines[0]?.ref ?? '', never)).toEqual(lines[0])
    expect(await logs.findLine('postgres|x|1|0', never)).toBeUndefined()
    expect(JSON.stringify([seen, lines])).not.toContain('hunter')
    await holder.query('rollback')
    await waiting
    expect(valueOf(await look(4000), 'pg_lock_waiters')).toBe(0)
  })

  test('is one connection, which reads alone and leaves no transaction open', async () => {
    const { places } = sources()
    await places[0]?.look(1, never)
    await places[0]?.look(2, never)
    const one = await client('watching')
    const { rows } = await one.query<{ count: string; state: string; query: string }>(
      "select count(*) over (), state, query from pg_stat_activity where application_name = 'midwatch' and state = 'idle'",
    )
    expect(rows[0]).toMatchObject({ state: 'idle', query: 'rollback' })
    await one.query("create role reader login password 'pw'")
    const asReader = sources(server.url('reader'))
    expect(valueOf(await asReader.places[0]?.look(1, never), 'pg_connections_max')).toBe(12)
  })

  test('that has no connection left, or none of that name, is down, and says so in a line without its password', async () => {
    const password = new Secret('pa55-hunter')
    const gone = sources(server.url('postgres', 'nowhere'), { password })
    const seen = await gone.places[0]?.look(1, never)
    expect([seen?.problem, valueOf(seen, 'up')]).toEqual([
      `PostgreSQL at 127.0.0.1:${server.port}/nowhere has no such database.`,
      0,
    ])
    const { lines } = await gone.logs.read({ fromMs: 0, toMs: 9, limit: 9 }, never)
    expect(lines).toMatchObject([{ level: 'error', service: 'orders-db', message: seen?.problem }])
    const many: Client[] = []
    const full = sources(server.url('reader'))
    for (;;) {
      const one = new Client({ connectionString: server.url('reader') })
      one.on('error', () => undefined)
      many.push(one)
      if (
        !(await one.connect().then(
          () => true,
          () => false,
        ))
      )
        break
    }
    const crowded = await full.places[0]?.look(1, never)
    expect(crowded?.problem).toMatch(/has no connection left: too many clients\.$/)
    expect(inspect([seen, crowded, lines], { depth: 9 })).not.toContain('pa55')
    for (const one of many) one.end().catch(() => undefined)
  })

  test('that was away is seen again by itself', async () => {
    const { places } = sources()
    await places[0]?.look(1, never)
    const one = await client('killer')
    await one.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'midwatch'")
    const looks: (number | undefined)[] = []
    for (let at = 2; at < 5; at++) looks.push(valueOf(await places[0]?.look(at, never), 'up'))
    expect(looks.at(-1)).toBe(1)
  })
})

test('a server that never answers is left at the deadline, and one that talks nonsense at once', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `postgres://u:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}/db`
  const hung = createPostgresSources({ databases: [{ service: 'db', url }], timeoutMs: 100 })
  const seen = await hung.places[0]?.look(1, never)
  expect(seen?.problem).toMatch(/^PostgreSQL at 127\.0\.0\.1:\d+\/db (did not answer within 100 ms|cannot be reached)/)
  server.on('connection', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const nonsense = await hung.places[0]?.look(2, never)
  expect(nonsense?.problem).toMatch(/^PostgreSQL at /)
  expect(inspect([seen, nonsense])).not.toContain('hunter2')
  await hung.close()
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})

describe('a statement', () => {
  test('is told without values and comments, and with its names', () => {
    expect(
      maskSql(`select "a'b", t1.x from t1 where n = 12.5e3 and s in ('it''s', E'a\\'b') -- secret\n and y = $1`),
    ).toBe(`select "a'b", t1.x from t1 where n = ? and s in (?, ?) and y = $1`)
    expect(maskSql('do $body$ raise hunter2 $body$ /* hunter2')).toBe('do ?')
  })

  test('shows nothing of a string, wherever it is cut', () => {
    const text = fc
      .string({ maxLength: 20 })
      .map((value) => `SEKRET${value.replaceAll("'", "''").replaceAll('\\', '')}`)
    fc.assert(
      fc.property(text, fc.nat(80), (value, at) => {
        const cut = `update t set "col" = '${value}', other = '${value}' where id = 5`.slice(0, at + 20)
        expect(maskSql(cut)).not.toContain('SEKRET')
      }),
    )
  })
})
