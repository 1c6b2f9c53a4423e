// From a question to passages: the collections that may be read, words and vectors side by side, one ranking, no page more than
// its share. Either half may fail and the other serves; what is missing is said.
import { AppError, describeError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import type { FoundPassage, Retrieved, RetrieveQuery, Retriever } from '../../llm/retriever.ts'
import type { Log } from '../../observe/log.ts'
import type { Collection, Embedding, Hit, KnowledgeStore, StoredPassage } from '../store/store.ts'
import { findReadable } from './access.ts'
import { diversify } from './diversify.ts'
import { fuseRanks } from './fuse.ts'

export interface RetrieverParts {
  readonly store: KnowledgeStore
  /** For questions to vectors made so; null where only words are searched. */
  readonly modelOf: (embedding: Embedding) => Promise<EmbeddingModel | null>
  readonly log: Log
}

const MAX_TOP_K = 100
/** Looked at of each half; more than is asked, for several may be of one page. */
const depthFor = (topK: number): number => Math.max(100, topK * 5)
const PER_DOCUMENT = 2

export function createRetriever(parts: RetrieverParts): Retriever {
  return { retrieve: (query, signal) => retrieve(parts, query, signal) }
}

async function retrieve(parts: RetrieverParts, query: RetrieveQuery, signal: AbortSignal): Promise<Retrieved> {
  check(query)
  const collections = await findReadable(parts.store, query)
  if (collections.length === 0) return { passages: [], none: true, confidence: 0 }
  const halves = await searchHalves(parts, collections, query, signal)
  const fused = fuseRanks(halves.map((hits) => ({ weight: 1, hits })))
  const scores = new Map(fused.map(({ passage, score }) => [passage, score]))
  const loaded = await parts.store.passages(fused.map(({ passage }) => passage))
  signal.throwIfAborted()
  const chosen = diversify(loaded, { limit: query.topK, perDocument: query.perDocument ?? PER_DOCUMENT })
  const names = new Map(collections.map(({ id, name }) => [id, name]))
  return {
    passages: chosen.map((passage) =>
      toFound(passage, names.get(passage.collection) ?? '', scores.get(passage.id) ?? 0),
    ),
    none: chosen.length === 0,
    confidence: chosen.length === 0 ? 0 : 0.5,
  }
}

function check({ text, topK }: RetrieveQuery): void {
  if (text.trim() === '') throw new AppError('malformed', 'There is nothing to search for: the text is empty.')
  if (!Number.isInteger(topK) || topK < 1 || topK > MAX_TOP_K)
    throw new AppError('malformed', `Ask for 1 to ${MAX_TOP_K} passages.`, { field: 'top_k' })
}

async function searchHalves(
  parts: RetrieverParts,
  collections: readonly Collection[],
  query: RetrieveQuery,
  signal: AbortSignal,
): Promise<readonly (readonly Hit[])[]> {
  const mode = query.mode ?? 'hybrid'
  const index = {
    collections: collections.map(({ id }) => id),
    filter: query.filter ?? {},
    limit: depthFor(query.topK),
  }
  const work: Promise<readonly Hit[]>[] = []
  if (mode !== 'vector') work.push(parts.store.byWords(query.text, index))
  if (mode !== 'bm25') {
    for (const { embedding, ids } of byEmbedding(collections)) {
      const ask = async (): Promise<readonly Hit[]> => {
        const model = await parts.modelOf(embedding)
        if (!model) return []
        const vector = await model.embedQuery(query.text, signal)
        return parts.store.byVector(vector, model.id, { ...index, collections: ids })
      }
      work.push(ask())
    }
  }
  const settled = await Promise.allSettled(work)
  signal.throwIfAborted()
  const hits = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
  for (const reason of failed) parts.log.warn({ err: describeError(reason) }, 'half of a search failed')
  if (hits.length === 0)
    throw new AppError('unavailable', 'The knowledge base cannot be searched right now.', { cause: failed[0] })
  return hits
}

/** While some are embedded anew, collections may have vectors of different models. */
function byEmbedding(collections: readonly Collection[]) {
  const groups = new Map<string, { readonly embedding: Embedding; readonly ids: string[] }>()
  for (const { id, embedding } of collections) {
    if (!embedding) continue
    const group = groups.get(embedding.model)
    if (group) group.ids.push(id)
    else groups.set(embedding.model, { embedding, ids: [id] })
  }
  return groups.values()
}

const toFound = (passage: StoredPassage, collection: string, score: number): FoundPassage => ({
  collection,
  document: passage.document,
  title: passage.title,
  source: passage.source,
  headings: passage.headings,
  text: passage.text,
  start: passage.start,
  end: passage.end,
  page: passage.page,
  score,
  metadata: passage.metadata,
})
