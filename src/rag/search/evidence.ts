// What speaks for a passage that neither rank nor score says: how much of the question it covers, weighed by how rare its words
// are in the collections asked, and whether its title is what was asked about. Each means the same in every collection. (Whether words
// stand side by side as in the question was tried, and told nothing more.)
import type { StoredPassage, WordCounts } from '../store/store.ts'
import { partsOf, WORD, wordsOf } from '../store/words.ts'
import { stem } from './stem.ts'

export interface Evidence {
  /** Of the information in the question's words (their idf), the share whose words are in the passage, its title or headings. */
  readonly covered: number
  /** Of the title's words, the share that is asked about. */
  readonly titled: number
  /** An identifier of the question is the title, a heading or the name of the document. */
  readonly named: boolean
}

/** A question made ready to be compared with passages. */
export interface Weighed {
  /** Stem to idf; what no passage has counts too, the most. */
  readonly words: ReadonlyMap<string, number>
  readonly total: number
  /** Words with a seam or digits in them, whole, in small letters. */
  readonly identifiers: ReadonlySet<string>
}

/** A part of an identifier says less than a word: together its parts say what it says. */
const PART = 0.5
/** Questions may be long logs: names are looked for in their beginning. */
const MAX_NAMING = 10_000

export function weigh(text: string, { passages, words }: WordCounts): Weighed {
  const weights = new Map<string, number>()
  for (const word of words) {
    const idf = Math.log(1 + (passages - word.passages + 0.5) / (word.passages + 0.5)) * (word.part ? PART : 1)
    for (const one of wordsOf(word.text)) {
      const key = stem(one)
      weights.set(key, Math.max(weights.get(key) ?? 0, idf))
    }
  }
  return {
    words: weights,
    total: sum(weights.values()),
    identifiers: identifiersIn(text),
  }
}

export function evidenceOf(
  asked: Weighed,
  passage: Pick<StoredPassage, 'title' | 'headings' | 'text' | 'document'>,
): Evidence {
  const title = withParts(passage.title)
  const body = withParts(`${passage.headings.join('\n')}\n${passage.text}`)
  const all = new Set([...title, ...body])
  let covered = 0
  for (const [word, weight] of asked.words) if (all.has(word)) covered += weight
  const titleWords = new Set(title)
  const titled = titleWords.size === 0 ? 0 : count(titleWords, (word) => asked.words.has(word)) / titleWords.size
  return {
    covered: asked.total === 0 ? 0 : covered / asked.total,
    titled,
    named: isNamed(asked.identifiers, passage),
  }
}

function isNamed(identifiers: ReadonlySet<string>, passage: Pick<StoredPassage, 'title' | 'headings' | 'document'>) {
  if (identifiers.size === 0) return false
  const name = passage.document.split(/[/#?]/).findLast((part) => part !== '') ?? ''
  const names = [passage.title, ...passage.headings, name, name.replace(/\.\w{1,5}$/, '')]
  return names.some((one) => identifiers.has(one.trim().toLowerCase()))
}

const IDENTIFIER = /[\p{L}\p{N}_.:-]*[\p{L}\p{N}]/gu

function identifiersIn(text: string): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [word] of text.slice(0, MAX_NAMING).matchAll(IDENTIFIER))
    if (/[_.:-]/.test(word) || partsOf(word).length > 1) found.add(word.toLowerCase())
  return found
}

/** Stems in their order, the parts of an identifier behind it. */
function withParts(text: string): readonly string[] {
  const found: string[] = []
  for (const [word] of text.matchAll(WORD)) found.push(...stemsOf(word))
  return found
}

/** Of words worked out before: passages say the same words over and over, and all of this runs on the main thread. */
const STEMS = new Map<string, readonly string[]>()
const MOST_STEMS = 20_000
const LONGEST_REMEMBERED = 40

function stemsOf(word: string): readonly string[] {
  const known = STEMS.get(word)
  if (known) return known
  const stems = [word, ...partsOf(word)].flatMap((one) => wordsOf(one).map(stem))
  if (word.length <= LONGEST_REMEMBERED) {
    if (STEMS.size >= MOST_STEMS) STEMS.clear()
    STEMS.set(word, stems)
  }
  return stems
}

function sum(values: Iterable<number>): number {
  let total = 0
  for (const value of values) total += value
  return total
}

function count<T>(values: Iterable<T>, is: (value: T) => boolean): number {
  let found = 0
  for (const value of values) if (is(value)) found++
  return found
}
