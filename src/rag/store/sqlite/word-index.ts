// One FTS5 index a collection: `words_N`, without a copy of the texts. BM25 with Porter's stems; a hit in a title weighs more
// than one in a heading, that more than one in the text, and a part of an identifier least.
import { identifierParts, type Term } from '../words.ts'
import type { Database } from './database.ts'

/** title, headings, text, parts. */
const WEIGHTS = '3.0, 2.0, 1.0, 0.6'

const table = (collection: number): string => `words_${collection}`

export function createWordIndex(db: Database, collection: number): void {
  db.exec(
    `create virtual table ${table(collection)} using fts5 (title, headings, text, parts,
      tokenize = "porter unicode61 remove_diacritics 2", content = '', contentless_delete = 1)`,
  )
}

export function dropWordIndex(db: Database, collection: number): void {
  db.exec(`drop table ${table(collection)}`)
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
    `insert into ${table(collection)} (rowid, title, headings, text, parts) values (?, ?, ?, ?, ?)`,
    n,
    title,
    under,
    text,
    identifierParts(`${title}\n${under}\n${text}`),
  )
}

/** Call it before the passages themselves go. */
export function forgetWords(db: Database, collection: number, document: number): void {
  db.run(`delete from ${table(collection)} where rowid in (select n from passages where document = ?)`, document)
}

/** Makes the index anew, so that nothing is left in it of what was deleted. */
export function compactWords(db: Database, collection: number): void {
  db.exec(`insert into ${table(collection)} (${table(collection)}) values ('optimize')`)
}

/** More are not asked for at once: the rarest say most. */
const MAX_ASKED = 48

/** Words of the question as FTS5 reads them: each a string, so that no word is an operator. Undefined where none can be found. */
function matchExpression(db: Database, name: string, terms: readonly Term[]): string | undefined {
  const strings = terms.map(({ text }) => `"${text}"`)
  const asked = strings.length > MAX_ASKED ? rarest(db, name, strings) : strings
  return asked.length === 0 ? undefined : asked.join(' OR ')
}

function rarest(db: Database, name: string, strings: readonly string[]): readonly string[] {
  return strings
    .map((string) => ({
      string,
      passages: db.get<{ n: number }>(`select count(*) as n from ${name} where ${name} match ?`, string)?.n ?? 0,
    }))
    .filter(({ passages }) => passages > 0)
    .toSorted((a, b) => a.passages - b.passages)
    .slice(0, MAX_ASKED)
    .map(({ string }) => string)
}

export interface WordHit {
  readonly passage: number
  readonly score: number
}

/** The best passages among those of `documents`, a subquery that gives numbers of documents (undefined: all). */
export function searchWords(
  db: Database,
  collection: number,
  terms: readonly Term[],
  documents: { readonly sql: string; readonly values: readonly (string | number)[] } | undefined,
  limit: number,
): readonly WordHit[] {
  const name = table(collection)
  const expression = matchExpression(db, name, terms)
  if (expression === undefined) return []
  const within = documents ? `and (select document from passages where n = ${name}.rowid) in (${documents.sql})` : ''
  return db.all<WordHit>(
    `select rowid as passage, -bm25(${name}, ${WEIGHTS}) as score from ${name}
     where ${name} match ? ${within} order by score desc, rowid limit ?`,
    expression,
    ...(documents?.values ?? []),
    limit,
  )
}
