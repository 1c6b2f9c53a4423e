// One FTS5 index a collection: `words_N`, without a copy of the texts. BM25 with Porter's stems; a hit in a title weighs more
// than one in a heading, that more than one in the text, and a part of an identifier least.
import { identifierParts } from '../words.ts'
import type { Database } from './database.ts'

/** Of title, headings, text and parts. */
export const WEIGHTS = '3.0, 2.0, 1.0, 0.6'

export const wordTable = (collection: number): string => `words_${collection}`

export function createWordIndex(db: Database, collection: number): void {
  db.exec(
    `create virtual table ${wordTable(collection)} using fts5 (title, headings, text, parts,
      tokenize = "porter unicode61 remove_diacritics 2", content = '', contentless_delete = 1)`,
  )
}

export function dropWordIndex(db: Database, collection: number): void {
  db.exec(`drop table ${wordTable(collection)}`)
}

export interface Indexed {
  readonly n: number
  readonly title: string
  readonly headings: readonly string[]
  readonly text: string
}

export function indexWords(db: Database, collection: number, { n, title, headings, text }: Indexed): void {
  const under = headings.join('\n')
  db.run(
    `insert into ${wordTable(collection)} (rowid, title, headings, text, parts) values (?, ?, ?, ?, ?)`,
    n,
    title,
    under,
    text,
    identifierParts(`${title}\n${under}\n${text}`),
  )
}

/** Call it before the passages themselves go. */
export function forgetWords(db: Database, collection: number, document: number): void {
  db.run(`delete from ${wordTable(collection)} where rowid in (select n from passages where document = ?)`, document)
}

/** Makes the index anew, so that nothing is left in it of what was deleted. */
export function compactWords(db: Database, collection: number): void {
  db.exec(`insert into ${wordTable(collection)} (${wordTable(collection)}) values ('optimize')`)
}
