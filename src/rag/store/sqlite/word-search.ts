// BM25 by FTS5, without going through every passage that has a common word: the rarest words choose the passages, all words
// score them, and more words choose as long as one that has not could still bring in a better passage (MaxScore: Turtle and
// Flood, "Query evaluation: strategies and optimizations", 1995). With 100,000 passages that is ten times as quick.
import type { WordCounts } from '../store.ts'
import type { Term } from '../words.ts'
import type { Database } from './database.ts'
import { WEIGHTS, wordTable } from './word-index.ts'

/** That gives numbers of documents. */
export interface Subquery {
  readonly sql: string
  readonly values: readonly (string | number)[]
}

export interface Scored {
  readonly passage: number
  readonly score: number
}

interface Asked {
  readonly n: number
  /** Only passages of these; undefined: of all. */
  readonly documents: Subquery | undefined
}

/** A word of the question in one collection. */
interface Found {
  /** As FTS5 reads it: a string, so that no word is an operator. */
  readonly string: string
  readonly passages: number
  /** In how many passages of all collections asked, as a weight. */
  readonly idf: number
}

/** More words are not asked for at once: the rarest say most. */
const MAX_ASKED = 48
/** Where the words are together in so few passages, each is asked by itself and weighed by all collections that are asked. */
const FEW_PASSAGES = 2_000
/** So many passages are scored for a start, and then those of one more word as long as they are fewer than the second number. */
const FIRST_CANDIDATES = 3_000
const MOST_CANDIDATES = 40_000
/** A count so great is remembered until the collection has changed by a tenth: it takes some milliseconds. */
const GREAT_COUNT = FEW_PASSAGES
const REMEMBERED = 10_000
/** FTS5's own: what a word gives at most is its idf times one more than this. */
const K1 = 1.2

export class WordSearch {
  readonly #db: Database
  readonly #counts = new Map<string, { readonly passages: number; readonly of: number }>()

  constructor(db: Database) {
    this.#db = db
  }

  /** The best `limit` passages of each collection; call it within a transaction. */
  search(terms: readonly Term[], collections: readonly Asked[], limit: number): readonly Scored[] {
    const strings = terms.map(({ text }) => `"${text}"`)
    const sizes = collections.map(({ n }) => this.#passages(n))
    const all = sizes.reduce((sum, size) => sum + size, 0)
    const counts = collections.map(({ n }, i) => strings.map((string) => this.#count(n, string, sizes[i] ?? 0)))
    const idfs = strings.map((_, t) =>
      inverse(
        all,
        counts.reduce((sum, list) => sum + (list[t] ?? 0), 0),
      ),
    )
    return collections.flatMap((collection, i) => {
      const found = strings
        .map((string, t): Found => ({ string, passages: counts[i]?.[t] ?? 0, idf: idfs[t] ?? 0 }))
        .filter(({ passages }) => passages > 0)
        .toSorted((a, b) => a.passages - b.passages)
        .slice(0, MAX_ASKED)
      if (found.length === 0) return []
      return found.reduce((sum, { passages }) => sum + passages, 0) <= FEW_PASSAGES
        ? this.#eachByItself(collection, found, sizes[i] ?? 0, limit)
        : this.#rarestFirst(collection, found, sizes[i] ?? 0, limit)
    })
  }

  /** In how many passages of the collections each word is; call it within a transaction. */
  counts(terms: readonly Term[], collections: readonly number[]): WordCounts {
    const sizes = collections.map((n) => this.#passages(n))
    return {
      passages: sizes.reduce((sum, size) => sum + size, 0),
      words: terms.map(({ text, part }) => ({
        text,
        part,
        passages: collections.reduce((sum, n, i) => sum + this.#count(n, `"${text}"`, sizes[i] ?? 0), 0),
      })),
    }
  }

  #eachByItself(collection: Asked, found: readonly Found[], size: number, limit: number): readonly Scored[] {
    const scores = new Map<number, number>()
    for (const { string, passages, idf } of found)
      for (const { passage, score } of this.#match(collection, string, -1))
        scores.set(passage, (scores.get(passage) ?? 0) + score * (idf / own(size, passages)))
    return best(scores, limit)
  }

  #rarestFirst(collection: Asked, found: readonly Found[], size: number, limit: number): readonly Scored[] {
    // FTS5 gives next to nothing for a word that is in most passages.
    const telling = found.filter(({ passages }) => passages * 2 < size)
    const words = telling.length > 0 ? telling : found.slice(0, 1)
    // What FTS5 gives is by this collection alone: about as much as it would be by all of them.
    const total = (of: (one: Found) => number): number => words.reduce((sum, one) => sum + of(one), 0)
    const scale = total(({ idf }) => idf) / total(({ passages }) => own(size, passages))
    let expected = words[0]?.passages ?? 0
    for (let choosing = 1; ; choosing++) {
      const next = words[choosing]
      expected += next?.passages ?? 0
      if (next && expected <= FIRST_CANDIDATES) continue
      const choice = words
        .slice(0, choosing)
        .map(({ string }) => string)
        .join(' OR ')
      const others = words.slice(choosing)
      const scores = new Map<number, number>()
      const add = (hits: readonly Scored[]) => {
        for (const { passage, score } of hits) scores.set(passage, Math.max(score, scores.get(passage) ?? 0))
      }
      add(this.#match(collection, choice, limit))
      // The same passages with the other words that are in them, whose score is the greater.
      if (others.length > 0)
        add(this.#match(collection, `(${choice}) AND (${others.map(({ string }) => string).join(' OR ')})`, limit))
      const hits = best(scores, limit)
      const bound = others.reduce((sum, { passages }) => sum + own(size, passages) * (K1 + 1), 0)
      const last = hits.length < limit ? 0 : (hits.at(-1)?.score ?? 0)
      if (!next || last >= bound || (hits.length >= limit && expected > MOST_CANDIDATES))
        return hits.map(({ passage, score }) => ({ passage, score: score * scale }))
    }
  }

  /** The best first; all of them where the limit is -1. */
  #match({ n, documents }: Asked, expression: string, limit: number): readonly Scored[] {
    const name = wordTable(n)
    const within = documents ? `and (select document from passages where n = ${name}.rowid) in (${documents.sql})` : ''
    return this.#db.all<Scored>(
      `select rowid as passage, -bm25(${name}, ${WEIGHTS}) as score from ${name}
       where ${name} match ? ${within} order by score desc, rowid limit ?`,
      expression,
      ...(documents?.values ?? []),
      limit,
    )
  }

  #passages(collection: number): number {
    const row = this.#db.get<{ n: number }>(
      'select coalesce(sum(passages), 0) as n from documents where collection = ?',
      collection,
    )
    return row?.n ?? 0
  }

  #count(collection: number, string: string, of: number): number {
    const key = `${collection} ${string}`
    const known = this.#counts.get(key)
    if (known && Math.abs(of - known.of) * 10 < known.of) return known.passages
    const name = wordTable(collection)
    const passages =
      this.#db.get<{ n: number }>(`select count(*) as n from ${name} where ${name} match ?`, string)?.n ?? 0
    if (passages > GREAT_COUNT) {
      if (this.#counts.size >= REMEMBERED) this.#counts.clear()
      this.#counts.set(key, { passages, of })
    } else this.#counts.delete(key)
    return passages
  }
}

const inverse = (all: number, passages: number): number =>
  Math.log(1 + (Math.max(0, all - passages) + 0.5) / (passages + 0.5))

/** What FTS5 itself weighs a word by. */
const own = (all: number, passages: number): number =>
  Math.max(1e-6, Math.log((Math.max(0, all - passages) + 0.5) / (passages + 0.5)))

function best(scores: ReadonlyMap<number, number>, limit: number): readonly Scored[] {
  return Array.from(scores, ([passage, score]) => ({ passage, score }))
    .sort((a, b) => b.score - a.score || a.passage - b.passage)
    .slice(0, limit)
}
