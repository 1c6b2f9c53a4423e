// By which model a question is embedded: by the one that made the vectors it is compared with. While the passages of a
// collection are embedded anew by another model, that is still the old one, where it can be had; where not, the collection is
// searched by its words alone until its vectors are new.
import { describeError } from '../core/errors.ts'
import type { EmbeddingModel } from '../llm/embedding.ts'
import type { Log } from '../observe/log.ts'
import type { Embedding } from './store/store.ts'

export interface ModelShelf {
  /** What everything is embedded by from now on. */
  readonly current: EmbeddingModel
  /** For questions to vectors made so; null where that model is not to be had. */
  modelOf(embedding: Embedding | null): Promise<EmbeddingModel | null>
  /** Models that vectors were made by and that could not be had, with the reason. */
  missing(): ReadonlyMap<string, string>
  stop(): Promise<void>
}

/** `openFormer` opens a model by its id; null for one that cannot be known by its id alone. */
export function createModelShelf(
  current: EmbeddingModel,
  openFormer: (id: string) => Promise<EmbeddingModel | null>,
  log: Log,
): ModelShelf {
  const former = new Map<string, Promise<EmbeddingModel | null>>()
  const missing = new Map<string, string>()
  const open = async (id: string): Promise<EmbeddingModel | null> => {
    try {
      const model = await openFormer(id)
      // What it is called now need not be what it was then: a file may have been replaced.
      if (model?.id === id) return model
      await model?.stop()
      missing.set(id, 'it is not there any more')
    } catch (error) {
      missing.set(id, describeError(error))
    }
    log.warn(
      { model: id, reason: missing.get(id) },
      'the former embedding model is not to be had: until all is embedded anew, its collections are searched by words alone',
    )
    return null
  }
  return {
    current,
    modelOf: async (embedding) => {
      if (embedding === null || embedding.model === current.id) return current
      let opening = former.get(embedding.model)
      if (!opening) former.set(embedding.model, (opening = open(embedding.model)))
      return opening
    },
    missing: () => missing,
    stop: async () => {
      const opened = await Promise.all(former.values())
      for (const model of [current, ...opened]) await model?.stop()
    },
  }
}
