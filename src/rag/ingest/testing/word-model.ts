// An embedding of a text by its words, for tests: the same words, the same vector.
import { hash } from 'node:crypto'
import type { EmbeddingModel } from '../../../llm/embedding.ts'

export function wordModel(id = 'words', dimension = 32): EmbeddingModel {
  const embed = (text: string): Float32Array => {
    const vector = new Float32Array(dimension)
    for (const [word] of text.toLowerCase().matchAll(/\w+/g)) {
      const slot = Number.parseInt(hash('sha1', `${id} ${word}`, 'hex').slice(0, 8), 16) % dimension
      vector[slot] = (vector[slot] ?? 0) + 1
    }
    vector[0] = (vector[0] ?? 0) + 0.01
    const length = Math.hypot(...vector)
    return vector.map((x) => x / length)
  }
  return {
    id,
    dimension,
    embedPassages: async (texts, signal) => {
      signal.throwIfAborted()
      return texts.map((text) => [embed(text)])
    },
    embedQuery: async (text) => embed(text),
    stop: async () => undefined,
  }
}
