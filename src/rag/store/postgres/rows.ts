// Collections and passages read from PostgreSQL.
import type { ClientBase } from 'pg'
import { type CollectionRow, type PassageRow, SELECT_PASSAGES, toCollection, toPassage } from '../rows.ts'
import type { Collection, StoredPassage } from '../store.ts'

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
  return rows.map(toCollection)
}

/** Without the text. */
export const DOCUMENT_COLUMNS = 'n, id, title, source, content_hash, metadata, owner, origin, ingested_at, passages'

/** `rest` goes on behind the joins of `SELECT_PASSAGES`. */
export async function loadPassages(
  client: ClientBase,
  rest: string,
  values: readonly unknown[],
): Promise<readonly StoredPassage[]> {
  const { rows } = await client.query<PassageRow>(`${SELECT_PASSAGES} ${rest}`, [...values])
  return rows.map(toPassage)
}
