// A table of vectors for each collection and model, with an HNSW graph over most of them (graph.ts); the loose ones are looked at one
// by one. A graph that is asked for what a filter left over finds too little: then, and where there are few to look at, all are
// looked at, which is exact.
import type { PoolClient } from 'pg'
import { AppError } from '../../../core/errors.ts'
import type { Embedding } from '../store.ts'
import { quantize } from '../vectors.ts'
import { halfvecArray } from './halfvecs.ts'

/** pgvector's graphs take no more numbers than this; longer vectors are looked at one by one. */
export const MAX_GRAPH_DIMENSION = 4000
/** So many passages are looked at one by one. */
export const EXACT_PASSAGES = 4_000
/** Vectors for each passage that is asked for: a passage has several, and only the nearest counts. */
const VECTORS_A_HIT = 8
const MIN_VECTORS = 480
/** pgvector's own greatest. */
const MAX_SEARCH = 1_000
const MAX_SCANNED = 40_000

export const vectorTable = (index: number): string => `vectors_${index}`

/** The number of the index, made where it is not there. Throws AppError `conflict` where its vectors have another dimension. */
export async function ensureIndex(client: PoolClient, collection: number, embedding: Embedding): Promise<number> {
  const { model, dimension } = embedding
  const known = await client.query<{ n: number; dimension: number }>(
    'select n, dimension from vector_indexes where collection = $1 and model = $2',
    [collection, model],
  )
  const [there] = known.rows
  if (there && there.dimension !== dimension)
    throw new AppError(
      'conflict',
      `The collection has vectors of ${model} with ${there.dimension} numbers, these have ${dimension}. Give the model another name.`,
    )
  if (there) return there.n
  const made = await client.query<{ n: number }>(
    'insert into vector_indexes (collection, model, dimension) values ($1, $2, $3) returning n',
    [collection, model, dimension],
  )
  const n = made.rows[0]?.n ?? 0
  const name = vectorTable(n)
  await client.query(
    `create table ${name} (passage bigint not null, document bigint not null, v halfvec(${dimension}) not null)`,
  )
  await client.query(`create index on ${name} (document)`)
  await client.query(`create index on ${name} (passage)`)
  return n
}

export async function dropIndexes(client: PoolClient, collection: number, except: number | null): Promise<void> {
  const { rows } = await client.query<{ n: number }>(
    'delete from vector_indexes where collection = $1 and n is distinct from $2 returning n',
    [collection, except],
  )
  for (const { n } of rows) {
    await client.query('delete from embedded where vector_index = $1', [n])
    await client.query(`drop table ${vectorTable(n)}`)
  }
}

/** Where vectors go. */
export interface Target {
  readonly n: number
  readonly dimension: number
  /** The number of the type halfvec in this database. */
  readonly type: number
}

export interface PassageVectors {
  readonly passage: number
  readonly document: number
  readonly vectors: readonly Float32Array[]
}

/** Their numbers go over as whole ones from -127 to 127: a cosine does not know the difference. */
export async function addVectors(
  client: PoolClient,
  { n: index, dimension, type }: Target,
  of: readonly PassageVectors[],
) {
  const rows = of.flatMap(({ passage, document, vectors }) => vectors.map((vector) => ({ passage, document, vector })))
  await client.query(
    'insert into embedded (passage, vector_index) select n, $2 from unnest($1::bigint[]) n on conflict do nothing',
    [of.map(({ passage }) => passage), index],
  )
  if (rows.length === 0) return
  await client.query(
    `insert into ${vectorTable(index)} (passage, document, v)
     select passage, document, v from unnest($1::bigint[], $2::bigint[], $3::halfvec[]) r (passage, document, v)`,
    [
      rows.map(({ passage }) => passage),
      rows.map(({ document }) => document),
      halfvecArray(
        quantize(
          rows.map(({ vector }) => vector),
          dimension,
        ),
        dimension,
        type,
      ),
    ],
  )
}

export async function removeVectors(client: PoolClient, index: number, of: 'passage' | 'document', n: number) {
  await client.query(`delete from ${vectorTable(index)} where ${of} = $1`, [n])
}

const literal = (numbers: Int8Array): string => `[${numbers.join(',')}]`

export interface VectorHit {
  readonly passage: number
  readonly document: string
  readonly score: number
}

export interface Index {
  readonly n: number
  readonly collection: number
  readonly dimension: number
  /** The graph has the passages up to this number. */
  readonly settled: number
}

/** Call it in a transaction of its own; `metadata` is JSON that the documents have to contain, or null. */
export async function searchVectors(
  client: PoolClient,
  index: Index,
  vector: Float32Array,
  metadata: string | null,
  { limit, exactPassages }: { readonly limit: number; readonly exactPassages: number },
): Promise<readonly VectorHit[]> {
  const { rows } = await client.query<{ passages: number }>(
    `select coalesce(sum(passages), 0)::bigint as passages from documents
     where collection = $1 and ($2::jsonb is null or metadata @> $2::jsonb)`,
    [index.collection, metadata],
  )
  const there = rows[0]?.passages ?? 0
  const values = [
    literal(quantize([vector], index.dimension)),
    limit,
    ...(metadata === null ? [] : [index.collection, metadata]),
  ]
  const allowed =
    metadata === null ? 'true' : 'document in (select n from documents where collection = $3 and metadata @> $4::jsonb)'
  const name = vectorTable(index.n)
  const all = `select passage, document, v <=> $1::halfvec as distance from ${name} where ${allowed}`
  if (there > exactPassages && index.settled > 0) {
    const vectors = Math.max(MIN_VECTORS, limit * VECTORS_A_HIT)
    await client.query(`set local hnsw.ef_search = ${Math.min(MAX_SEARCH, vectors)}`)
    await client.query('set local hnsw.iterative_scan = relaxed_order')
    await client.query(`set local hnsw.max_scan_tuples = ${MAX_SCANNED}`)
    // The number stands in the text, for the planner has to see that the graph's predicate holds.
    const nearest = `(${all} and passage <= ${index.settled} order by v <=> $1::halfvec limit ${vectors})
      union all ${all} and passage > ${index.settled}`
    const hits = await best(client, nearest, values)
    if (hits.length >= Math.min(limit, there)) return hits
  }
  return best(client, all, values)
}

async function best(client: PoolClient, vectors: string, values: readonly unknown[]): Promise<readonly VectorHit[]> {
  // A vector of zeros is at no distance: it is like nothing.
  const { rows } = await client.query<VectorHit>(
    `with near as materialized (${vectors}),
     passage as (select passage, document, 1 - min(coalesce(nullif(distance, 'NaN'), 1)) as score from near group by 1, 2)
     select p.passage, d.id as document, p.score from passage p join documents d on d.n = p.document
     order by p.score desc, p.passage limit $2`,
    [...values],
  )
  return rows
}
