// Rows of the tables as what they stand for.
import { z } from 'zod'
import type { Metadata } from '../../document.ts'
import type { Collection, StoredDocument, StoredPassage } from '../store.ts'
import type { Database } from './database.ts'

const strings = z.array(z.string())
const metadataShape = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

const parseMetadata = (text: string): Metadata => metadataShape.parse(JSON.parse(text))
const parseStrings = (text: string): readonly string[] => strings.parse(JSON.parse(text))

interface CollectionRow {
  readonly n: number
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly teams: string
  readonly model: string | null
  readonly dimension: number | null
  readonly created_at: number
  readonly documents: number
  readonly passages: number
}

const COLLECTIONS = `select c.*, count(d.n) as documents, coalesce(sum(d.passages), 0) as passages
  from collections c left join documents d on d.collection = c.n`

/** `where` chooses among the columns of collections, as `c`. */
export function loadCollections(db: Database, where: string, ...values: readonly string[]): readonly Collection[] {
  return db.all<CollectionRow>(`${COLLECTIONS} where ${where} group by c.n order by c.name`, ...values).map((row) => ({
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    teams: parseStrings(row.teams),
    embedding: row.model === null || row.dimension === null ? null : { model: row.model, dimension: row.dimension },
    createdAt: row.created_at,
    documents: row.documents,
    passages: row.passages,
  }))
}

export interface DocumentRow {
  readonly n: number
  readonly id: string
  readonly title: string
  readonly source: string | null
  readonly content_hash: string
  readonly metadata: string
  readonly owner: string | null
  readonly origin: string | null
  readonly ingested_at: number
  readonly passages: number
}

export const documentOf = (row: DocumentRow): StoredDocument => ({
  id: row.id,
  title: row.title,
  source: row.source,
  contentHash: row.content_hash,
  metadata: parseMetadata(row.metadata),
  owner: row.owner,
  origin: row.origin,
  ingestedAt: row.ingested_at,
  passages: row.passages,
})

interface PassageRow {
  readonly n: number
  readonly collection: string
  readonly document: string
  readonly title: string
  readonly source: string | null
  readonly metadata: string
  readonly ordinal: number
  readonly headings: string
  readonly start_at: number
  readonly end_at: number
  readonly page: number | null
  readonly text: string
}

/** `rest` goes on behind the joins of passages `p`, documents `d` and collections `c`. */
export function loadPassages(
  db: Database,
  rest: string,
  ...values: readonly (string | number)[]
): readonly StoredPassage[] {
  return db
    .all<PassageRow>(
      `select p.n, c.id as collection, d.id as document, d.title, d.source, d.metadata, p.ordinal, p.headings,
        p.start_at, p.end_at, p.page, p.text
       from passages p join documents d on d.n = p.document join collections c on c.n = p.collection ${rest}`,
      ...values,
    )
    .map((row) => ({
      id: String(row.n),
      collection: row.collection,
      document: row.document,
      title: row.title,
      source: row.source,
      metadata: parseMetadata(row.metadata),
      ordinal: row.ordinal,
      headings: parseStrings(row.headings),
      start: row.start_at,
      end: row.end_at,
      page: row.page,
      text: row.text,
    }))
}
