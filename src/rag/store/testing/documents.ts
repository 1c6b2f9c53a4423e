// Documents and vectors for tests of stores: seeded, and clustered as real embeddings are.
import type { EmbeddedPassage, NewDocument } from '../store.ts'

export const embedding = { model: 'test', dimension: 64 }

let tenants = 0
export const newTenant = (): string => `tenant-${process.pid}-${++tenants}`

/** Mulberry32: numbers from 0 to 1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Around a centre for every fifty of them. */
export function clusteredVectors(count: number, seed: number, dimension = embedding.dimension): Float32Array[] {
  const chance = random(seed)
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
  const centres = Array.from({ length: Math.ceil(count / 50) }, () =>
    Float32Array.from({ length: dimension }, gaussian),
  )
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(chance() * centres.length)]!
    return centre.map((x) => x + 0.6 * gaussian())
  })
}

/** By brute force. */
export const bestOfAll = (query: Float32Array, vectors: readonly Float32Array[]): number =>
  Math.max(...vectors.map((vector) => cosine(query, vector)))

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, left, right] = [0, 0, 0]
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!
    left += a[i]! ** 2
    right += b[i]! ** 2
  }
  return product / Math.sqrt(left * right)
}

/** One passage a text, with the vector that belongs to it (or one of its own). */
export function documentWith(
  id: string,
  texts: readonly string[],
  more: { vectors?: readonly Float32Array[]; owner?: string; title?: string } = {},
): NewDocument {
  let start = 0
  const passages = texts.map((text, ordinal): EmbeddedPassage => {
    const vector = more.vectors?.[ordinal] ?? clusteredVectors(1, ordinal + 1)[0]!
    const passage = {
      ordinal,
      headings: ['Steps'],
      start,
      end: start + text.length,
      page: null,
      text,
      vectors: [vector],
    }
    start += text.length + 1
    return passage
  })
  return {
    id,
    title: more.title ?? `Title ${id}`,
    source: null,
    contentHash: 'hash',
    metadata: {},
    owner: more.owner ?? null,
    origin: null,
    ingestedAt: 1,
    text: texts.join('\n'),
    passages,
  }
}

/** One passage for each list of vectors. */
export function passagesOf(id: string, vectors: readonly (readonly Float32Array[])[]): NewDocument {
  const document = documentWith(
    id,
    vectors.map((_, i) => `passage ${i}`),
  )
  return { ...document, passages: document.passages.map((passage, i) => ({ ...passage, vectors: vectors[i] ?? [] })) }
}
