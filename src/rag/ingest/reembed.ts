// A collection whose vectors were made by another model gets new ones beside them, while the old ones are searched; then it
// changes over at once. Where it is comes from the store: a run that was killed goes on behind what it did.
import { AppError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import type { Collection, KnowledgeStore } from '../store/store.ts'
import { embeddingText } from './embedding-text.ts'

const BATCH = 64

/** Returns how many passages were embedded. Does nothing where nothing is missing. */
export async function reembed(
  { store, model }: { readonly store: KnowledgeStore; readonly model: EmbeddingModel },
  collection: Collection,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<number> {
  const embedding = { model: model.id, dimension: model.dimension }
  let done = await fill(0)
  if (collection.embedding !== null && collection.embedding.model !== model.id) {
    await store.switchEmbedding(collection.id, embedding)
    // Another process may have put a document with vectors of the old model alone while the last ones were made.
    done = await fill(done)
  }
  return done

  async function fill(before: number): Promise<number> {
    let count = before
    for (let last = ''; ;) {
      signal.throwIfAborted()
      const missing = await store.passagesWithout(collection.id, model.id, BATCH)
      const [first] = missing
      if (first === undefined) return count
      if (first.id === last)
        throw new AppError('internal', `The embedding model ${model.id} gives no vectors for ${first.document}.`)
      last = first.id
      const vectors = await model.embedPassages(missing.map(embeddingText), signal)
      await store.putVectors(
        embedding,
        missing.map(({ id }, i) => ({ passage: id, vectors: vectors[i] ?? [] })),
      )
      count += missing.length
      onProgress(count)
    }
  }
}
