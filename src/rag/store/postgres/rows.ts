// Rows of PostgreSQL as what they stand for.
import type { ClientBase } from 'pg'
import type { Metadata } from '../../document.ts'
import type { Collection, StoredDocument, StoredPassage } from '../store.ts'

interface CollectionRow {
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

/** `where` chooses among the columns of collections, as `c`. */
export async function loadCollections(
  client: ClientBase,
  where: string,
  values: readonly string[],
): Promise<readonly Collection[]> {
  const { rows } = await client.query<CollectionRow>(
    `select c.*, (select count(*) from documents d where d.collection = c.n) as documents
     from collections c where ${where} order by c.name collate "C"`,
    [...values],
  )
  return rows.map((row) => ({
    id: row.id,
    tenant: row.tenant,
    name: row.name,
    teams: row.teams,
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
  readonly metadata: Metadata
  readonly owner: string | null
  readonly origin: string | null
  readonly ingested_at: number
  readonly passages: number
}

/** Without the text. */
export const DOCUMENT_COLUMNS = 'n, id, title, source, content_hash, metadata, owner, origin, ingested_at, passages'

export const documentOf = (row: DocumentRow): StoredDocument => ({
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

interface PassageRow {
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

/** `rest` goes on behind the joins of passages `p`, documents `d` and collections `c`. */
export async function loadPassages(
  client: ClientBase,
  rest: string,
  values: readonly unknown[],
): Promise<readonly StoredPassage[]> {
  const { rows } = await client.query<PassageRow>(
    `select p.n, c.id as collection, d.id as document, d.title, d.source, d.metadata, p.ordinal, p.headings,
      p.start_at, p.end_at, p.page, p.text
     from passages p join documents d on d.n = p.document join collections c on c.n = p.collection ${rest}`,
    [...values],
  )
  return rows.map((row) => ({
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
  }))
}
