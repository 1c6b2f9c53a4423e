// Documents for the bench of the knowledge base, made from a seed: words as often as in real texts (Zipf), some of them
// identifiers; vectors in clusters, several a passage, as sentences of one page are near one another.
import type { EmbeddedPassage, NewDocument } from '../src/rag/store/store.ts'

export const DIMENSION = 512
export const PASSAGES_A_DOCUMENT = 20
const WORDS_A_PASSAGE = 120
const VOCABULARY = 40_000
const TOPICS = 500

type Chance = () => number

/** Mulberry32. */
export function chanceFrom(seed: number): Chance {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296
  }
}

const SYLLABLES = 'ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu'.split(' ')

const vocabulary = Array.from({ length: VOCABULARY }, (_, rank) => {
  let word = ''
  for (let rest = rank + 400; rest > 0; rest = Math.floor(rest / SYLLABLES.length))
    word += SYLLABLES[rest % SYLLABLES.length] ?? ''
  return rank % 50 === 49 ? `Kube${word[0]?.toUpperCase()}${word.slice(1)}Failing` : word
})

/** The r-th word is about 1/r as frequent as the first. */
const wordBy = (chance: Chance): string => vocabulary[Math.floor(VOCABULARY ** chance()) - 1] ?? 'ba'

export const questionBy = (chance: Chance): string =>
  Array.from({ length: 3 + Math.floor(chance() * 6) }, () => wordBy(chance)).join(' ')

const spread = (chance: Chance): number => chance() + chance() + chance() - 1.5

function vectorNear(centre: Float32Array, width: number, chance: Chance): Float32Array {
  const vector = new Float32Array(DIMENSION)
  for (let i = 0; i < DIMENSION; i++) vector[i] = (centre[i] ?? 0) + width * spread(chance)
  return vector
}

const origin = new Float32Array(DIMENSION)
const topics = Array.from({ length: TOPICS }, (_, topic) => vectorNear(origin, 1, chanceFrom(1_000_003 + topic)))

/** The vectors of one passage: the same for the same number. */
export function vectorsOf(passage: number, count: number): Float32Array[] {
  const chance = chanceFrom(passage + 1)
  const topic = topics[Math.floor(chance() * TOPICS)] ?? origin
  const own = vectorNear(topic, 0.7, chance)
  return Array.from({ length: count }, () => vectorNear(own, 0.7, chance))
}

/** Something like one of the vectors of a passage, but none of them. */
export const vectorLike = (passage: number, chance: Chance): Float32Array =>
  vectorNear(vectorsOf(passage, 1)[0] ?? origin, 0.5, chance)

/** Waits a turn of the event loop between passages, so that making them does not look like a delay. */
export async function documentBy(number: number, vectors: number, turn: () => Promise<void>): Promise<NewDocument> {
  const chance = chanceFrom(number + 500_009)
  const passages: EmbeddedPassage[] = []
  const texts: string[] = []
  let start = 0
  for (let ordinal = 0; ordinal < PASSAGES_A_DOCUMENT; ordinal++) {
    const text = Array.from({ length: WORDS_A_PASSAGE }, () => wordBy(chance)).join(' ')
    const headings = [wordBy(chance), `${wordBy(chance)} ${wordBy(chance)}`]
    const own = vectorsOf(number * PASSAGES_A_DOCUMENT + ordinal, vectors)
    passages.push({ ordinal, headings, start, end: start + text.length, page: null, text, vectors: own })
    texts.push(text)
    start += text.length + 1
    await turn()
  }
  return {
    id: `doc/${number}.md`,
    title: `${wordBy(chance)} ${wordBy(chance)}`,
    source: null,
    contentHash: String(number),
    metadata: { shard: number % 100 },
    owner: null,
    origin: null,
    ingestedAt: 0,
    text: texts.join('\n'),
    passages,
  }
}
