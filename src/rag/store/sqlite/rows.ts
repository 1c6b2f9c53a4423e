// Collections, documents and passages read from SQLite, which keeps lists and metadata as JSON.
import { z } from 'zod'
import type { Metadata } from '../../document.ts'
import * as rows from '../rows.ts'
import type { Collection, StoredDocument, StoredPassage } from '../store.ts'
import type { Database } from './database.ts'

const strings = z.array(z.string())
const metadataShape = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

const parseMetadata = (text: string): Metadata => metadataShape.parse(JSON.parse(text))
const parseStrings = (text: string): readonly string[] => strings.parse(JSON.parse(text))

/** A row with some of its columns still as JSON. */
type Written<Row, Columns extends keyof Row> = Omit<Row, Columns> & Readonly<Record<Columns, string>>

const COLLECTIONS = `select c.*, count(d.n) as documents, coalesce(sum(d.passages), 0) as passages
  from collections c left join documents d on d.collection = c.n`

/** `where` chooses among the columns of collections, as `c`. */
export function loadCollections(db: Database, where: string, ...values: readonly string[]): readonly Collection[] {
  return db
    .all<Written<rows.CollectionRow, 'teams'>>(`${COLLECTIONS} where ${where} group by c.n order by c.name`, ...values)
    .map((row) => rows.toCollection({ ...row, teams: parseStrings(row.teams) }))
}

export type DocumentRow = Written<rows.DocumentRow, 'metadata'>

export const documentOf = (row: DocumentRow): StoredDocument =>
  rows.toDocument({ ...row, metadata: parseMetadata(row.metadata) })

/** `rest` goes on behind the joins of `SELECT_PASSAGES`. */
export function loadPassages(
  db: Database,
  rest: string,
  ...values: readonly (string | number)[]
): readonly StoredPassage[] {
  return db
    .all<Written<rows.PassageRow, 'metadata' | 'headings'>>(`${rows.SELECT_PASSAGES} ${rest}`, ...values)
    .map((row) =>
      rows.toPassage({ ...row, metadata: parseMetadata(row.metadata), headings: parseStrings(row.headings) }),
    )
}
