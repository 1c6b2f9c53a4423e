// A document into the tables and out of them, with what is counted about its collection. The caller holds the collection.
import type { PoolClient } from 'pg'
import type { EmbeddedPassage, NewDocument } from '../store.ts'
import { addLexemes, removeLexemes } from './lexeme-counts.ts'
import { addVectors, removeVectors, type Target } from './vector-index.ts'
import { wordsToIndex } from './word-search.ts'

/** What goes over at a time. */
const PASSAGES_A_STATEMENT = 64

export async function insertDocument(
  client: PoolClient,
  collection: number,
  document: NewDocument,
  into: Target,
): Promise<void> {
  const { passages } = document
  const { rows } = await client.query<{ n: number }>(
    `insert into documents (collection, id, title, source, content_hash, metadata, owner, origin, ingested_at, passages, text)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning n`,
    [
      collection,
      document.id,
      document.title,
      document.source,
      document.contentHash,
      JSON.stringify(document.metadata),
      document.owner,
      document.origin,
      document.ingestedAt,
      passages.length,
      document.text,
    ],
  )
  const n = rows[0]?.n ?? 0
  for (let at = 0; at < passages.length; at += PASSAGES_A_STATEMENT) {
    const some = passages.slice(at, at + PASSAGES_A_STATEMENT)
    const numbers = await insertPassages(client, collection, n, document.title, some)
    const vectors = some.map((passage, i) => ({ passage: numbers[i] ?? 0, document: n, vectors: passage.vectors }))
    await addVectors(client, into, vectors)
  }
  await addLexemes(client, collection, n)
  await countPassages(client, collection, n, 1)
}

/** Their numbers, in their order. */
async function insertPassages(
  client: PoolClient,
  collection: number,
  document: number,
  title: string,
  passages: readonly EmbeddedPassage[],
): Promise<readonly number[]> {
  const records = passages.map(({ ordinal, headings, start, end, page, text }, at) => {
    const { words, count } = wordsToIndex({ title, headings, text })
    return { at, ordinal, headings, start_at: start, end_at: end, page, text, count, words }
  })
  const { rows } = await client.query<{ n: number }>(
    `insert into passages (document, collection, ordinal, headings, start_at, end_at, page, text, words, lexemes)
     select $1, $2, r.ordinal, r.headings, r.start_at, r.end_at, r.page, r.text, r.count, to_tsvector('words', r.words)
     from jsonb_to_recordset($3::jsonb) r (at integer, ordinal integer, headings jsonb, start_at integer, end_at integer,
       page integer, text text, count integer, words text)
     order by r.at returning n`,
    [document, collection, JSON.stringify(records)],
  )
  return rows.map(({ n }) => n).sort((a, b) => a - b)
}

/** Whether it was there. */
export async function removeDocument(client: PoolClient, collection: number, id: string): Promise<boolean> {
  const { rows } = await client.query<{ n: number }>('select n from documents where collection = $1 and id = $2', [
    collection,
    id,
  ])
  const [found] = rows
  if (!found) return false
  const { n } = found
  await countPassages(client, collection, n, -1)
  await removeLexemes(client, collection, n)
  const indexes = await client.query<{ n: number }>('select n from vector_indexes where collection = $1', [collection])
  for (const index of indexes.rows) await removeVectors(client, index.n, 'document', n)
  await client.query('delete from embedded where passage in (select n from passages where document = $1)', [n])
  await client.query('delete from passages where document = $1', [n])
  await client.query('delete from documents where n = $1', [n])
  return true
}

async function countPassages(client: PoolClient, collection: number, document: number, sign: 1 | -1): Promise<void> {
  await client.query(
    `update collections c set passages = c.passages + $3 * d.passages, words = c.words + $3 * d.words
     from (select count(*) as passages, coalesce(sum(words), 0) as words from passages where document = $2) d
     where c.n = $1`,
    [collection, document, sign],
  )
}
