// Answers and passages as the API tells them and the command line reads them.
import { z } from 'zod'
import type { FoundPassage } from '../../llm/retriever.ts'
import type { Answer } from './answer.ts'
import type { AnswerSentence, AnswerSource } from './source.ts'

const sourceSchema = z.object({
  n: z.number(),
  collection: z.string(),
  document: z.string(),
  title: z.string(),
  source: z.string().nullable(),
  headings: z.array(z.string()),
  start: z.number(),
  end: z.number(),
  page: z.number().nullable(),
  quote: z.string(),
})

/** `POST /v1/rag/query`. */
export const answerSchema = z.object({
  answer: z.string(),
  answered: z.boolean(),
  mode: z.enum(['model', 'extract', 'none']),
  reason: z.string().nullable(),
  sentences: z.array(z.object({ text: z.string(), citations: z.array(z.number()) })),
  sources: z.array(sourceSchema),
  nearest: z.array(
    z.object({ collection: z.string(), document: z.string(), title: z.string(), source: z.string().nullable() }),
  ),
  confidence: z.number(),
  dropped_sentences: z.number(),
  removed_links: z.number(),
  model: z.string().nullable(),
  tokens_used: z.number().nullable(),
  cost_usd: z.number().nullable(),
  missing: z.array(z.object({ half: z.string(), reason: z.string() })),
  request_id: z.string(),
})

export type AnswerView = z.output<typeof answerSchema>

export const answerView = (answer: Answer, requestId: string): AnswerView => ({
  answer: answer.text,
  answered: answer.answered,
  mode: answer.mode,
  reason: answer.reason,
  sentences: answer.sentences.map((sentence) => ({ text: sentence.text, citations: [...sentence.citations] })),
  sources: answer.sources.map((source) => ({ ...source, headings: [...source.headings] })),
  nearest: [...answer.nearest],
  confidence: answer.confidence,
  dropped_sentences: answer.droppedSentences,
  removed_links: answer.removedLinks,
  model: answer.model,
  tokens_used: answer.tokensUsed,
  cost_usd: answer.costMicroUsd === null ? null : answer.costMicroUsd / 1e6,
  missing: [...answer.missing],
  request_id: requestId,
})

/** The event `sentence`: with those of its sources that were not told before. */
export const sentenceView = ({ text, citations }: AnswerSentence, sources: readonly AnswerSource[]) => ({
  text,
  citations,
  sources,
})

/** `POST /v1/rag/search`. */
export const passageView = (passage: FoundPassage) => ({
  collection: passage.collection,
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
