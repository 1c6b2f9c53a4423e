// The codes of one vector index in memory: a look over half a million takes some 25 ms, many times less than where they lie.
// They follow the database: before each search, within its transaction, what was added and what is gone since.
import { codeDistance, codeWords } from '../vectors.ts'
import type { Database } from './database.ts'

interface CodeRow {
  readonly n: number
  readonly passage: number
  readonly document: number
  readonly codes: Uint8Array
}

export interface Candidate {
  /** The row of its vectors. */
  readonly code: number
  readonly passage: number
}

const DEAD = -1

export class CodeTable {
  readonly #index: number
  readonly #words: number
  #codes = new Uint32Array(0)
  #used = 0
  /** A row for each passage; its codes are those from `#from[row]` to `#from[row + 1]`. */
  #code: number[] = []
  #passage: number[] = []
  #document: number[] = []
  #from: number[] = [0]
  readonly #rowOf = new Map<number, number>()
  #lastCode = 0
  #lastGone = 0
  #distances = new Uint16Array(0)

  constructor(index: number, dimension: number) {
    this.#index = index
    this.#words = codeWords(dimension)
  }

  /** Call it within the transaction of the search. */
  follow(db: Database): void {
    const gone = db.get<{ first: number | null; last: number | null }>(
      'select min(n) as first, max(n) as last from codes_gone',
    )
    // What was deleted since has been forgotten: nothing is left but to read all anew.
    const lost = this.#lastCode > 0 && (gone?.first ?? this.#lastGone) > this.#lastGone + 1
    const wasteful = this.#code.length > 1000 && this.#rowOf.size < this.#code.length / 2
    if (lost || wasteful) this.#clear()
    const known = this.#lastCode
    for (const row of db.iterate<CodeRow>(
      'select n, passage, document, codes from codes where vector_index = ? and n > ? order by n',
      this.#index,
      known,
    ))
      this.#add(row)
    if (known > 0)
      for (const { code } of db.iterate<{ code: number }>('select code from codes_gone where n > ?', this.#lastGone)) {
        const row = this.#rowOf.get(code)
        if (row === undefined) continue
        this.#passage[row] = DEAD
        this.#rowOf.delete(code)
      }
    this.#lastGone = gone?.last ?? this.#lastGone
  }

  /**
   * The passages with the nearest codes, at least `count` (with as many as are as near as the last), or all there are. Only of
   * `documents` where they are given: so few of many are found as surely as all.
   */
  nearest(query: Uint32Array, count: number, documents: ReadonlySet<number> | undefined): readonly Candidate[] {
    const rows = this.#code.length
    if (this.#distances.length < rows) this.#distances = new Uint16Array(rows * 2)
    const distances = this.#distances
    const farthest = this.#words * 32 + 1
    const tally = new Uint32Array(farthest + 1)
    for (let row = 0; row < rows; row++) {
      let best = farthest
      if (this.#passage[row] !== DEAD && (!documents || documents.has(this.#document[row]!))) {
        for (let at = this.#from[row]!, end = this.#from[row + 1]!; at < end; at += this.#words) {
          const distance = codeDistance(query, this.#codes, at)
          if (distance < best) best = distance
        }
      }
      distances[row] = best
      tally[best]!++
    }
    let within = -1
    for (let sum = 0; sum < count && within < farthest - 1;) sum += tally[++within]!
    const found: Candidate[] = []
    for (let row = 0; row < rows; row++)
      if (distances[row]! <= within) found.push({ code: this.#code[row]!, passage: this.#passage[row]! })
    return found
  }

  #add({ n, passage, document, codes }: CodeRow): void {
    const size = codes.byteLength / 4
    if (this.#used + size > this.#codes.length) {
      const wider = new Uint32Array(Math.max(4096, Math.ceil((this.#used + size) * 1.5)))
      wider.set(this.#codes.subarray(0, this.#used))
      this.#codes = wider
    }
    new Uint8Array(this.#codes.buffer).set(codes, this.#used * 4)
    this.#used += size
    this.#rowOf.set(n, this.#code.length)
    this.#code.push(n)
    this.#passage.push(passage)
    this.#document.push(document)
    this.#from.push(this.#used)
    this.#lastCode = n
  }

  #clear(): void {
    this.#used = 0
    this.#code = []
    this.#passage = []
    this.#document = []
    this.#from = [0]
    this.#rowOf.clear()
    this.#lastCode = 0
  }
}
