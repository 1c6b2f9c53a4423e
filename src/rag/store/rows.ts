// Rows of either database as what they stand for, once what SQLite keeps as JSON is parsed.
import type { Metadata } from '../document.ts'
import type { Collection, StoredDocument, StoredPassage } from './store.ts'

export interface CollectionRow {
  readonly id: string
  readonly tenant: string
  readonly name: string
  readonly teams: readonly string[]
  readonly model: string | null
  readonly dimension: number | null
  readonly created_at: number
  readonly documents: number
  readonly passages: number
}

export const toCollection = (row: CollectionRow): Collection => ({
  id: row.id,
  tenant: row.tenant,
  name: row.name,
  teams: row.teams,
  embedding: row.model === null || row.dimension === null ? null : { model: row.model, dimension: row.dimension },
  createdAt: row.created_at,
  documents: row.documents,
  passages: row.passages,
})

/** Without the text. */
export interface DocumentRow {
  readonly n: number
  readonly id: string
  readonly title: string
  readonly source: string | null
  readonly content_hash: string
  readonly metadata: Metadata
  readonly owner: string | null
  readonly origin: string | null
  readonly ingested_at: number
  readonly passages: number
}

export const toDocument = (row: DocumentRow): StoredDocument => ({
  id: row.id,
  title: row.title,
  source: row.source,
  contentHash: row.content_hash,
  metadata: row.metadata,
  owner: row.owner,
  origin: row.origin,
  ingestedAt: row.ingested_at,
  passages: row.passages,
})

export interface PassageRow {
  readonly n: number
  readonly collection: string
  readonly document: string
  readonly title: string
  readonly source: string | null
  readonly metadata: Metadata
  readonly ordinal: number
  readonly headings: readonly string[]
  readonly start_at: number
  readonly end_at: number
  readonly page: number | null
  readonly text: string
}

/** The columns of a `PassageRow` and the joins of passages `p`, documents `d` and collections `c`. */
export const SELECT_PASSAGES = `select p.n, c.id as collection, d.id as document, d.title, d.source, d.metadata, p.ordinal,
  p.headings, p.start_at, p.end_at, p.page, p.text
  from passages p join documents d on d.n = p.document join collections c on c.n = p.collection`

export const toPassage = (row: PassageRow): StoredPassage => ({
  id: String(row.n),
  collection: row.collection,
  document: row.document,
  title: row.title,
  source: row.source,
  metadata: row.metadata,
  ordinal: row.ordinal,
  headings: row.headings,
  start: row.start_at,
  end: row.end_at,
  page: row.page,
  text: row.text,
})
