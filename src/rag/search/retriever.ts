// From a question to passages: the collections that may be read, words and vectors side by side, one ranking, no page more than
// its share, and whether anything fits at all. Either half may fail and the other serves; what is missing is said.
import { AppError } from '../../core/errors.ts'
import type { FoundPassage, Retrieved, RetrieveQuery, Retriever } from '../../llm/retriever.ts'
import { findReadable } from './access.ts'
import { type Assist, type AssistParts, inModelsOrder, otherWords } from './assist.ts'
import { confidenceIn, FITS_FROM } from './confidence.ts'
import { diversify } from './diversify.ts'
import { evidenceOf, weigh } from './evidence.ts'
import { type HalvesParts, type Halves, searchHalves } from './halves.ts'
import { type Candidate, rank, type RankedPassage, scoresOf } from './rank.ts'

export interface RetrieverParts extends HalvesParts {
  /** By which a model helps, whose is in the query; left out, none is asked. */
  readonly assist?: AssistParts
}

const MAX_TOP_K = 100
/** Of each half; more than is asked, for several may be of one page. */
export const depthFor = (topK: number): number => Math.max(60, topK * 4)
const PER_DOCUMENT = 2

export function createRetriever(parts: RetrieverParts): Retriever {
  return { retrieve: (query, signal) => retrieve(parts, query, signal) }
}

async function retrieve(parts: RetrieverParts, query: RetrieveQuery, signal: AbortSignal): Promise<Retrieved> {
  check(query)
  const collections = await findReadable(parts.store, query)
  if (collections.length === 0) return { passages: [], none: true, confidence: 0 }
  const assist: Assist | undefined = parts.assist && query.chat && { ...parts.assist, chat: query.chat }
  const added = assist ? await otherWords(assist, query.text, signal) : ''
  const halves = await searchHalves(parts, collections, { ...query, limit: depthFor(query.topK), added }, signal)
  const ranked = rank(await loadCandidates(parts, query, halves), query.mode ?? 'hybrid')
  signal.throwIfAborted()
  const texts = ranked.map(({ passage, score }) => ({ ...passage, score }))
  const ordered = assist ? await inModelsOrder(assist, query.text, texts, signal) : texts
  const chosen = diversify(ordered, { limit: query.topK, perDocument: query.perDocument ?? PER_DOCUMENT })
  const confidence = confidenceIn(ranked)
  const names = new Map(collections.map(({ id, name }) => [id, name]))
  return {
    passages: chosen.map((passage) => toFound(passage, names.get(passage.collection) ?? '')),
    none: confidence < FITS_FROM,
    confidence,
    ...(halves.missing.length === 0 ? {} : { missing: halves.missing }),
  }
}

function check({ text, topK, perDocument = PER_DOCUMENT }: RetrieveQuery): void {
  if (text.trim() === '') throw new AppError('malformed', 'There is nothing to search for: the text is empty.')
  if (!Number.isInteger(topK) || topK < 1 || topK > MAX_TOP_K)
    throw new AppError('malformed', `Ask for 1 to ${MAX_TOP_K} passages.`, { field: 'top_k' })
  if (!Number.isInteger(perDocument) || perDocument < 1)
    throw new AppError('malformed', 'Of each document, ask for at least one passage.', { field: 'per_document' })
}

/** What either half found, with what speaks for it. */
export async function loadCandidates(
  { store }: Pick<RetrieverParts, 'store'>,
  query: Pick<RetrieveQuery, 'text'>,
  halves: Halves,
): Promise<readonly Candidate[]> {
  const scores = scoresOf(halves.words, halves.vectors)
  const asked = weigh(query.text, halves.counts)
  return (await store.passages([...scores.keys()])).map((passage) => ({
    passage,
    words: scores.get(passage.id)?.words,
    cosine: scores.get(passage.id)?.cosine,
    evidence: evidenceOf(asked, passage),
  }))
}

const toFound = (passage: RankedPassage['passage'] & { readonly score: number }, collection: string): FoundPassage => ({
  collection,
  document: passage.document,
  title: passage.title,
  source: passage.source,
  headings: passage.headings,
  text: passage.text,
  start: passage.start,
  end: passage.end,
  page: passage.page,
  score: passage.score,
  metadata: passage.metadata,
})
