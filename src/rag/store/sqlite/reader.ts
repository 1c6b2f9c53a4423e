// What asks the store; runs in the reading thread, beside the writing one. Each operation sees one moment of the database.
import { AppError } from '../../../core/errors.ts'
import type { Collection, Hit, IndexQuery, StoredDocument, StoredPassage, WordCounts } from '../store.ts'
import { boundedLimit, MAX_COUNTED, passageNumber } from '../bounds.ts'
import { bestCosine, signCodes } from '../vectors.ts'
import { queryTerms } from '../words.ts'
import { CodeTable } from './codes.ts'
import type { Database } from './database.ts'
import { type DocumentRow, documentOf, loadCollections, loadPassages } from './rows.ts'
import { type Scored, type Subquery, WordSearch } from './word-search.ts'

/** So many passages are scored by their vectors for each hit asked, and never fewer than the second number. */
const CANDIDATES_A_HIT = 16
const MIN_CANDIDATES = 400

interface VectorIndex {
  readonly n: number
  readonly collection: number
  readonly dimension: number
}

export class Reader {
  readonly #db: Database
  readonly #codes = new Map<number, CodeTable>()
  readonly #words: WordSearch

  constructor(db: Database) {
    this.#db = db
    this.#words = new WordSearch(db)
  }

  findCollection(tenant: string, name: string): Collection | null {
    return this.#db.read(() => loadCollections(this.#db, 'c.tenant = ? and c.name = ?', tenant, name)[0] ?? null)
  }

  listCollections(tenant: string): readonly Collection[] {
    return this.#db.read(() => loadCollections(this.#db, 'c.tenant = ?', tenant))
  }

  allCollections(): readonly Collection[] {
    return this.#db.read(() => loadCollections(this.#db, '1'))
  }

  listDocuments(
    collection: string,
    page: { after?: string; limit: number; prefix?: string },
  ): readonly StoredDocument[] {
    const { after = '', prefix = '' } = page
    return this.#db
      .all<DocumentRow>(
        `select d.* from documents d
         where d.collection = (select n from collections where id = ?) and d.id > ? and d.id >= ?
           and d.id <= ? || char(1114111) and substr(d.id, 1, length(?)) = ?
         order by d.id limit ?`,
        collection,
        after,
        prefix,
        prefix,
        prefix,
        prefix,
        Math.max(0, page.limit),
      )
      .map(documentOf)
  }

  findDocument(collection: string, document: string): (StoredDocument & { readonly text: string }) | null {
    const row = this.#db.get<DocumentRow & { text: string }>(
      `select d.*, t.text from documents d join document_texts t on t.document = d.n
       where d.collection = (select n from collections where id = ?) and d.id = ?`,
      collection,
      document,
    )
    return row ? { ...documentOf(row), text: row.text } : null
  }

  byWords(words: string, query: IndexQuery): readonly Hit[] {
    const terms = queryTerms(words)
    const limit = boundedLimit(query)
    if (terms.length === 0 || limit === 0) return []
    return this.#db.read(() => {
      const collections = this.#numbers(query.collections).map((n) => ({ n, documents: filterOf(n, query) }))
      return this.#hits(this.#words.search(terms, collections, limit), limit)
    })
  }

  wordCounts(words: string, collections: readonly string[]): WordCounts {
    const terms = queryTerms(words).slice(0, MAX_COUNTED)
    return this.#db.read(() => this.#words.counts(terms, this.#numbers(collections)))
  }

  byVector(vector: Float32Array, model: string, query: IndexQuery): readonly Hit[] {
    const db = this.#db
    const limit = boundedLimit(query)
    return db.read(() => {
      this.#forgetCodes()
      const found = this.#numbers(query.collections).flatMap((collection) => {
        const index = db.get<VectorIndex>(
          'select n, collection, dimension from vector_indexes where collection = ? and model = ?',
          collection,
          model,
        )
        return index ? this.#nearest(index, vector, query, limit) : []
      })
      return this.#hits(found, limit)
    })
  }

  passages(ids: readonly string[]): readonly StoredPassage[] {
    const numbers = ids.map(passageNumber)
    const found = new Map(
      loadPassages(this.#db, 'where p.n in (select value from json_each(?))', JSON.stringify(numbers)).map(
        (passage) => [passage.id, passage],
      ),
    )
    return ids.flatMap((id) => found.get(id) ?? [])
  }

  passagesWithout(collection: string, model: string, limit: number): readonly StoredPassage[] {
    return loadPassages(
      this.#db,
      `where c.id = ? and not exists (
         select 1 from codes v join vector_indexes i on i.n = v.vector_index
         where v.passage = p.n and i.model = ?)
       order by p.n limit ?`,
      collection,
      model,
      Math.max(0, limit),
    )
  }

  #numbers(collections: readonly string[]): readonly number[] {
    return this.#db
      .all<{ n: number }>(
        'select n from collections where id in (select value from json_each(?)) order by n',
        JSON.stringify(collections),
      )
      .map(({ n }) => n)
  }

  #nearest(index: VectorIndex, vector: Float32Array, query: IndexQuery, limit: number): Scored[] {
    const db = this.#db
    if (vector.length !== index.dimension)
      throw new AppError(
        'malformed',
        `The vector has ${vector.length} numbers, those of the collection ${index.dimension}.`,
      )
    let codes = this.#codes.get(index.n)
    if (!codes) this.#codes.set(index.n, (codes = new CodeTable(index.n, index.dimension)))
    codes.follow(db)
    const filter = filterOf(index.collection, query)
    const documents =
      filter && new Set(db.all<{ document: number }>(filter.sql, ...filter.values).map(({ document }) => document))
    const count = Math.max(MIN_CANDIDATES, limit * CANDIDATES_A_HIT)
    return codes
      .nearest(signCodes([vector], index.dimension), count, documents)
      .map(({ code, passage }) => {
        const row = db.get<{ bytes: Uint8Array }>('select bytes from vectors where code = ?', code)
        const bytes = row?.bytes ?? new Uint8Array(0)
        return { passage, score: bestCosine(vector, new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)) }
      })
      .sort(byScore)
      .slice(0, limit)
  }

  /** Of indexes that are no more. */
  #forgetCodes(): void {
    if (this.#codes.size === 0) return
    const there = new Set(this.#db.all<{ n: number }>('select n from vector_indexes').map(({ n }) => n))
    for (const n of this.#codes.keys()) if (!there.has(n)) this.#codes.delete(n)
  }

  #hits(found: readonly Scored[], limit: number): readonly Hit[] {
    return found
      .toSorted(byScore)
      .slice(0, limit)
      .flatMap(({ passage, score }) => {
        const row = this.#db.get<{ id: string }>(
          'select d.id from passages p join documents d on d.n = p.document where p.n = ?',
          passage,
        )
        return row ? [{ passage: String(passage), document: row.id, score }] : []
      })
  }
}

const byScore = (a: Scored, b: Scored): number => b.score - a.score || a.passage - b.passage

/** The documents that have all that is asked; undefined where nothing is. */
function filterOf(collection: number, { filter }: IndexQuery): Subquery | undefined {
  const wanted = Object.entries(filter)
  if (wanted.length === 0) return undefined
  const one = 'select document from document_metadata where collection = ? and key = ? and value = ?'
  return {
    sql: wanted.map(() => one).join(' intersect '),
    values: wanted.flatMap(([key, value]) => [collection, key, JSON.stringify(value)]),
  }
}
