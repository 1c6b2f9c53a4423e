// Words and vectors, side by side. One that fails leaves the other; what could not be searched is said.
import { AppError, describeError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import type { MissingPart, RetrieveQuery } from '../../llm/retriever.ts'
import type { Log } from '../../observe/log.ts'
import type { Collection, Embedding, Hit, KnowledgeStore, WordCounts } from '../store/store.ts'

export interface HalvesParts {
  readonly store: KnowledgeStore
  /** For questions to vectors made so; null where only words are searched. */
  readonly modelOf: (embedding: Embedding) => Promise<EmbeddingModel | null>
  readonly log: Log
}

export interface Halves {
  /** null: not asked for, or failed. */
  readonly words: readonly Hit[] | null
  readonly vectors: readonly Hit[] | null
  /** Of the question's words; without them what covers the question cannot be told. */
  readonly counts: WordCounts
  readonly missing: readonly MissingPart[]
}

/** `added` are words for the half of words alone. Throws AppError `unavailable` when nothing of what was asked could be searched. */
export async function searchHalves(
  parts: HalvesParts,
  collections: readonly Collection[],
  query: RetrieveQuery & { readonly limit: number; readonly added: string },
  signal: AbortSignal,
): Promise<Halves> {
  const { mode = 'hybrid', text, added, limit } = query
  const index = { collections: collections.map(({ id }) => id), filter: query.filter ?? {}, limit }
  const missing: MissingPart[] = []
  const failures: unknown[] = []
  const attempt = async <T>(half: MissingPart['half'], work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error)
      missing.push({ half, reason: reasonOf(error) })
      parts.log.warn({ half, reason: describeError(error) }, 'half of a search failed')
      return null
    }
  }
  const byWords = async () =>
    attempt('words', () => parts.store.byWords(added === '' ? text : `${text}\n${added}`, index))
  const byVectors = async () => {
    const groups = await Promise.all(
      byEmbedding(collections).map(({ embedding, ids }) =>
        attempt('vectors', () => nearest(parts, text, embedding, { ...index, collections: ids }, signal)),
      ),
    )
    const found = groups.filter((hits) => hits !== null)
    return found.length === 0 && groups.length > 0 ? null : merged(found, limit)
  }
  const [words, vectors, counts] = await Promise.all([
    mode === 'vector' ? null : byWords(),
    mode === 'bm25' ? null : byVectors(),
    parts.store.wordCounts(text, index.collections).catch((): WordCounts => ({ passages: 0, words: [] })),
  ])
  signal.throwIfAborted()
  if (words === null && vectors === null)
    throw new AppError('unavailable', `The knowledge base cannot be searched right now: ${missing[0]?.reason ?? ''}`, {
      cause: failures[0],
    })
  return { words, vectors, counts, missing }
}

/** An error of ours is a sentence for everybody; any other is for the log. */
const reasonOf = (error: unknown): string => (error instanceof AppError ? error : new AppError('unavailable')).message

async function nearest(
  { store, modelOf }: HalvesParts,
  text: string,
  embedding: Embedding,
  index: Parameters<KnowledgeStore['byVector']>[2],
  signal: AbortSignal,
): Promise<readonly Hit[]> {
  const model = await modelOf(embedding)
  if (!model)
    throw new AppError(
      'unavailable',
      `The model ${embedding.model} is not there any more; its passages are embedded anew.`,
    )
  return store.byVector(await model.embedQuery(text, signal), model.id, index)
}

const merged = (groups: readonly (readonly Hit[])[], limit: number): readonly Hit[] =>
  groups.length === 1 && groups[0]
    ? groups[0]
    : groups
        .flat()
        .sort((a, b) => b.score - a.score)
        .slice(0, limit)

/** While some are embedded anew, collections may have vectors of different models. */
function byEmbedding(collections: readonly Collection[]) {
  const groups = new Map<string, { readonly embedding: Embedding; readonly ids: string[] }>()
  for (const { id, embedding } of collections) {
    if (!embedding) continue
    const group = groups.get(embedding.model)
    if (group) group.ids.push(id)
    else groups.set(embedding.model, { embedding, ids: [id] })
  }
  return [...groups.values()]
}
