// The HNSW graph over the vectors of a collection. One that is kept while vectors come takes ten times as long as one that is built
// of all of them; so what comes stays loose, and is looked at one by one, until there is much of it. Then a graph of all is built
// beside the old one, while both are searched and written to. A graph covers the passages up to a number: that is its
// predicate, so whatever is written lands on the right side by itself, also while it is being built.
import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import { MAX_GRAPH_DIMENSION, vectorTable } from './vector-index.ts'

/**
 * After an ingest a tenth may be loose; in the midst of one twice as many as are in the graph, for each building costs as much as all
 * before it, and competes with the ingest.
 */
const LOOSE_AFTER = 0.1
const LOOSE_AMID = 2
/** Of a vector beside its numbers: its links and what they weigh. */
const BYTES_BESIDE = 1_000
const LEAST_MEMORY_KB = 64 * 1024
const MOST_MEMORY_KB = 2 * 1024 * 1024

/** Any number that nobody else takes; together with the index's it is the lock on building its graph. */
const LOCK = 746_613

/** Of a building. */
const LONGEST_MS = 6 * 3_600_000

interface Standing {
  readonly n: number
  readonly dimension: number
  /** The greatest number of a passage in the graph; 0 without one. */
  readonly settled: number
}

/** Asks on the connection of a building, as long as that is wanted. */
type Ask = <R extends QueryResultRow>(query: string | QueryConfig, values?: unknown[]) => Promise<QueryResult<R>>

/**
 * Builds the graphs of the indexes that have more loose passages than may be. `few` may be loose in any case. Once the signal is
 * aborted no statement begins and it throws; one that runs is for the caller to cancel, on the connection that `onClient` is told.
 */
export async function settleGraphs(
  pool: Pool,
  of: { readonly collection: string | null; readonly few: number; readonly when: 'after' | 'amid' },
  signal: AbortSignal,
  onClient: (client: PoolClient) => void,
): Promise<void> {
  const client = await pool.connect()
  const ask: Ask = async (query, values) => {
    signal.throwIfAborted()
    return client.query(query, values)
  }
  let broken = false
  try {
    onClient(client)
    const { rows } = await ask<Standing>(
      `select i.n, i.dimension, i.settled from vector_indexes i join collections c on c.n = i.collection
       where ($1::text is null or c.id = $1) and i.dimension <= ${MAX_GRAPH_DIMENSION}`,
      [of.collection],
    )
    const share = of.when === 'after' ? LOOSE_AFTER : LOOSE_AMID
    for (const index of rows) {
      const { inGraph, loose, last } = await count(ask, index)
      if (loose > Math.max(of.few, share * inGraph)) await build(ask, index, last)
    }
  } catch (error) {
    broken = true
    throw error
  } finally {
    // What was set for building, and a lock that is still held, go with the connection.
    client.release(broken)
  }
}

async function count(ask: Ask, { n, settled }: Standing) {
  const { rows } = await ask<{ in_graph: number; loose: number; last: number }>(
    `select count(*) filter (where passage <= $2) as in_graph, count(*) filter (where passage > $2) as loose,
       coalesce(max(passage), 0) as last
     from embedded where vector_index = $1`,
    [n, settled],
  )
  const [row] = rows
  return { inGraph: row?.in_graph ?? 0, loose: row?.loose ?? 0, last: row?.last ?? 0 }
}

async function build(ask: Ask, index: Standing, last: number): Promise<void> {
  const { n } = index
  const locked = await ask<{ got: boolean }>('select pg_try_advisory_lock($1, $2) as got', [LOCK, n])
  if (locked.rows[0]?.got !== true) return
  try {
    await ask('set statement_timeout = 0')
    await ask(`set maintenance_work_mem = '${await memoryFor(ask, index, last)}kB'`)
    // What a building that broke off left behind is no good to anybody.
    await dropGraphs(ask, n, await standingGraph(ask, n))
    const building: QueryConfig & { query_timeout: number } = {
      text: `create index concurrently ${graph(n, last)} on ${vectorTable(n)} using hnsw (v halfvec_cosine_ops) where passage <= ${last}`,
      query_timeout: LONGEST_MS,
    }
    await ask(building)
    await ask('update vector_indexes set settled = $2 where n = $1', [n, last])
    await dropGraphs(ask, n, graph(n, last))
  } finally {
    await ask('reset maintenance_work_mem; reset statement_timeout')
    await ask('select pg_advisory_unlock($1, $2)', [LOCK, n])
  }
}

/** What does not fit takes many times as long; what is not needed is not taken. */
async function memoryFor(ask: Ask, { n, dimension }: Standing, last: number): Promise<number> {
  const { rows } = await ask<{ vectors: number }>(
    `select count(*) as vectors from ${vectorTable(n)} where passage <= $1`,
    [last],
  )
  const needed = Math.ceil(((rows[0]?.vectors ?? 0) * (2 * dimension + BYTES_BESIDE)) / 1024)
  return Math.min(MOST_MEMORY_KB, Math.max(LEAST_MEMORY_KB, needed))
}

const graph = (n: number, last: number): string => `graph_${n}_${last}`

async function standingGraph(ask: Ask, n: number): Promise<string> {
  const { rows } = await ask<{ settled: number }>('select settled from vector_indexes where n = $1', [n])
  return graph(n, rows[0]?.settled ?? 0)
}

async function dropGraphs(ask: Ask, n: number, except: string): Promise<void> {
  const { rows } = await ask<{ name: string }>(
    `select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
     where i.indrelid = to_regclass($1) and c.relname like 'graph\\_%' and c.relname <> $2`,
    [vectorTable(n), except],
  )
  for (const { name } of rows) await ask(`drop index concurrently if exists ${name}`)
}
