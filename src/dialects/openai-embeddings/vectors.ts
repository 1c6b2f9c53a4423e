// A vector's two spellings: a list of numbers, or its 32-bit floats, little-endian, in base64.

export const ENCODINGS = ['float', 'base64'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** undefined: neither spelling. */
export function encodingOf(embedding: unknown): Encoding | undefined {
  if (typeof embedding === 'string') return 'base64'
  return Array.isArray(embedding) && embedding.every((one) => typeof one === 'number') ? 'float' : undefined
}

/** In whichever spelling it came; undefined where it is none. */
export function readVector(embedding: unknown): readonly number[] | undefined {
  const encoding = encodingOf(embedding)
  if (encoding === 'float') return embedding as number[]
  if (encoding === undefined) return undefined
  const bytes = Buffer.from(embedding as string, 'base64')
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4))
}

/** As the JSON value in that spelling. */
export function writeVector(vector: readonly number[], encoding: Encoding): string {
  if (encoding === 'float') return JSON.stringify(vector)
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * 4)
  return `"${bytes.toString('base64')}"`
}
