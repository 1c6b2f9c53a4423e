// An embedding of a text by the words in it, for tests: fast, the same everywhere, and nearer the more words two texts
// share. Each word is hashed to a slot and a sign (the "hashing trick": Weinberger et al. 2009).
import type { EmbeddingModel } from '../../llm/embedding.ts'

const DIMENSION = 64

/** `id`: to be another model to those who compare. Words past the first `windowWords` get further vectors. */
export function hashEmbedding({ id = 'hashed-words@1', windowWords = 1_000 } = {}): EmbeddingModel {
  return {
    id,
    dimension: DIMENSION,
    embedPassages: async (texts, signal) => {
      signal.throwIfAborted()
      return texts.map((text) => {
        const words = wordsOf(text)
        if (words.length === 0) return text.trim() === '' ? [] : [vectorOf([text])]
        const windows: Float32Array[] = []
        for (let from = 0; from < words.length; from += windowWords)
          windows.push(vectorOf(words.slice(from, from + windowWords)))
        return windows
      })
    },
    embedQuery: async (text, signal) => {
      signal.throwIfAborted()
      return vectorOf(wordsOf(text).slice(0, windowWords))
    },
    stop: async () => undefined,
  }
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

function vectorOf(words: readonly string[]): Float32Array {
  const vector = new Float32Array(DIMENSION)
  // No text is without a direction, not even one in which words cancel out.
  vector[0] = 1e-3
  for (const word of words) {
    const bits = fnv1a(word)
    const slot = (bits >>> 1) % DIMENSION
    vector[slot] = (vector[slot] ?? 0) + (bits & 1 ? 1 : -1)
  }
  const length = Math.hypot(...vector)
  return vector.map((x) => x / length)
}

function fnv1a(text: string): number {
  let bits = 0x811c9dc5
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193)
  // FNV's low bits are weak; fold the high ones in.
  return (bits ^ (bits >>> 15)) >>> 0
}
