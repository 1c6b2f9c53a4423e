// Vectors as they are kept: each number in a byte, scaled by the vector's largest, which moves a cosine by less than a
// thousandth; and one bit a number (its sign), by which the nearest are found first among very many. A vector's length says nothing.
import { AppError } from '../../core/errors.ts'
import type { Embedding } from './store.ts'

/** A whole number of 32-bit words for each vector's signs. */
export const codeWords = (dimension: number): number => Math.ceil(dimension / 32)

/** Throws AppError `malformed` for a vector of another dimension or with a number that is none. */
export function checkVectors(vectors: readonly Float32Array[], { model, dimension }: Embedding): void {
  for (const vector of vectors) {
    if (vector.length !== dimension)
      throw new AppError('malformed', `A vector of ${model} has ${vector.length} numbers instead of ${dimension}.`)
    for (let i = 0; i < dimension; i++)
      if (!Number.isFinite(vector[i]))
        throw new AppError('malformed', `A vector of ${model} has a number that is infinite or not a number.`)
  }
}

/** The vectors one behind the other, a byte a number. */
export function quantize(vectors: readonly Float32Array[], dimension: number): Int8Array {
  const bytes = new Int8Array(vectors.length * dimension)
  vectors.forEach((vector, at) => {
    let largest = 0
    for (let i = 0; i < dimension; i++) largest = Math.max(largest, Math.abs(vector[i] ?? 0))
    const scale = largest === 0 ? 0 : 127 / largest
    for (let i = 0, to = at * dimension; i < dimension; i++, to++) bytes[to] = Math.round((vector[i] ?? 0) * scale)
  })
  return bytes
}

/** The signs of the vectors one behind the other. */
export function signCodes(vectors: readonly Float32Array[], dimension: number): Uint32Array {
  const words = codeWords(dimension)
  const codes = new Uint32Array(vectors.length * words)
  vectors.forEach((vector, at) => {
    for (let i = 0; i < dimension; i++) if ((vector[i] ?? 0) > 0) codes[at * words + (i >>> 5)]! |= 1 << (i & 31)
  })
  return codes
}

/** The greatest cosine of `query` with any of the vectors in `bytes`; 0 with a vector of zeros, -Infinity of none. */
export function bestCosine(query: Float32Array, bytes: Int8Array): number {
  const dimension = query.length
  let best = -Infinity
  const own = Math.sqrt(dot(query, query, 0))
  for (let from = 0; from + dimension <= bytes.length; from += dimension) {
    let product = 0
    let square = 0
    for (let i = 0; i < dimension; i++) {
      const b = bytes[from + i] ?? 0
      product += (query[i] ?? 0) * b
      square += b * b
    }
    const length = own * Math.sqrt(square)
    best = Math.max(best, length === 0 ? 0 : product / length)
  }
  return best
}

function dot(a: Float32Array, b: Float32Array, from: number): number {
  let sum = 0
  for (let i = from; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** How many bits differ between `query` and the code that begins at `from`. */
export function codeDistance(query: Uint32Array, codes: Uint32Array, from: number): number {
  let distance = 0
  for (let i = 0; i < query.length; i++) {
    let x = query[i]! ^ codes[from + i]!
    x -= (x >>> 1) & 0x55555555
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
    x = (x + (x >>> 4)) & 0x0f0f0f0f
    distance += Math.imul(x, 0x01010101) >>> 24
  }
  return distance
}
