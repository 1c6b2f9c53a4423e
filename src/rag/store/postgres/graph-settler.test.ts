import type { Pool } from 'pg'
import { expect, test } from 'vitest'
import { GraphSettler } from './graph-settler.ts'

/** With one connection, which notes what it is asked. */
function poolOf(
  answer: (sql: string) => unknown,
  { connected = Promise.resolve(), onCancel = () => {} }: { connected?: Promise<void>; onCancel?: () => void } = {},
) {
  const asked: string[] = []
  const client = {
    processID: 7,
    query: async (query: string | { text: string }) => {
      const sql = typeof query === 'string' ? query : query.text
      asked.push(sql)
      return { rows: (await answer(sql)) ?? [] }
    },
    release: () => {},
  }
  const pool = { connect: () => connected.then(() => client), query: async () => onCancel() }
  return { pool: pool as unknown as Pool, asked }
}

test('a building that waits for a connection yet is not begun once the store is stopped', async () => {
  const connected = Promise.withResolvers<void>()
  const { pool, asked } = poolOf(() => [], { connected: connected.promise })
  const settler = new GraphSettler(pool, 10)
  const settled = settler.settle(null, 'amid')
  const stopped = settler.stop()
  connected.resolve()
  await Promise.all([settled, stopped])
  expect(asked).toEqual([])
})

test('a building is cancelled until it has ended, for a cancellation between two statements is lost', async () => {
  const building = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  let cancelled = 0
  const { pool } = poolOf(
    (sql) => {
      if (sql.includes('from vector_indexes i')) return [{ n: 1, dimension: 3, settled: 0 }]
      if (sql.includes('count(*)')) return [{ in_graph: 0, loose: 100, last: 100 }]
      if (sql.includes('pg_try_advisory_lock')) return [{ got: true }]
      if (!sql.startsWith('create index')) return []
      begun.resolve()
      return building.promise
    },
    {
      onCancel: () => {
        if (++cancelled === 3) building.reject(new Error('canceling statement due to user request'))
      },
    },
  )
  const settler = new GraphSettler(pool, 10)
  const stop = new AbortController()
  const settled = settler.settle('col_1', 'after', stop.signal)
  await begun.promise
  stop.abort()
  await settled
  expect(cancelled).toBe(3)
  await settler.stop()
})
