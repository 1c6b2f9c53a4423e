// Asking the knowledge base: answers from passages (`query`), also as a stream of checked sentences, and the passages
// themselves (`search`). What may not be read looks as if it were not there.
import { z } from 'zod'
import { type Caller, mayDo } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError, toAppError } from '../../core/errors.ts'
import { formatSse } from '../../core/sse.ts'
import type { ChatModel } from '../../llm/chat.ts'
import type { RetrieveQuery, Retriever } from '../../llm/retriever.ts'
import type { Log } from '../../observe/log.ts'
import { answerQuestion, type AnswerParts, type Question } from '../../rag/answer/answer.ts'
import { answerView, passageView, sentenceView } from '../../rag/answer/view.ts'
import type { KnowledgeStore } from '../../rag/store/store.ts'
import { errorReply } from '../error-reply.ts'
import { beginEvents } from '../event-stream.ts'
import { type Exchange, ok, type Reply, type Route } from '../exchange.ts'
import { collectionName, getReadable, recordOf } from './rag-access.ts'

export interface RagRoutesParts {
  /** Opened at the first call. Throws `unavailable`. */
  readonly open: () => Promise<{ readonly store: KnowledgeStore; readonly retriever: Retriever }>
  /** A model that is charged to the caller. */
  readonly chatModelFor: (caller: Caller) => ChatModel | undefined
  /** By which answers are worded where the request names none; undefined: answers are extracts. */
  readonly model: () => string | undefined
  readonly clock: Clock
  readonly log: Log
}

const MAX_QUERY = 100_000
const MAX_COLLECTIONS = 20

const asked = {
  query: z
    .string()
    .max(MAX_QUERY, `is longer than ${MAX_QUERY} characters`)
    .refine((text) => text.trim() !== '', 'is empty'),
  collection: collectionName.optional(),
  collections: z.array(collectionName).min(1).max(MAX_COLLECTIONS).optional(),
  filter: recordOf(
    z
      .record(z.string().max(100), z.union([z.string().max(1000), z.number(), z.boolean()]))
      .refine((filter) => Object.keys(filter).length <= 16, 'has more than 16 keys'),
  ).optional(),
  mode: z.enum(['hybrid', 'bm25', 'vector']).optional(),
}

const queryBody = z.strictObject({
  ...asked,
  top_k: z.int().min(1).max(50).default(8),
  stream: z.boolean().default(false),
  /** null: no model, extracts. */
  model: z.string().min(1).max(200).nullable().optional(),
  unsupported: z.enum(['drop', 'mark']).default('drop'),
})

const searchBody = z.strictObject({
  ...asked,
  top_k: z.int().min(1).max(100).default(10),
  per_document: z.int().min(1).max(100).optional(),
})

/** `POST /v1/rag/query` and `/v1/rag/search`. */
export function ragRoutes(parts: RagRoutesParts): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/rag/query',
      scope: 'rag:read',
      handle: async (exchange) => {
        const body = await exchange.json(queryBody)
        const { caller } = exchange
        if (typeof body.model === 'string' && !mayDo(caller, 'llm:chat')) {
          throw new AppError('forbidden', `To choose a model the key "${caller.name}" needs the scope llm:chat.`, {
            field: 'model',
          })
        }
        const { store, retriever } = await parts.open()
        const chatModel = parts.chatModelFor(caller)
        const question: Question = {
          ...(await readQuery(store, caller, body)),
          chat: chatModel,
          model: body.model === null ? undefined : (body.model ?? parts.model()),
          unsupported: body.unsupported,
          requestId: exchange.id,
        }
        const from: AnswerParts = {
          retriever,
          chatModel,
          clock: parts.clock,
          log: parts.log,
        }
        if (body.stream) return streamAnswer(exchange, from, question)
        return ok(answerView(await answerQuestion(from, question, exchange.signal), exchange.id))
      },
    },
    {
      method: 'POST',
      path: '/v1/rag/search',
      scope: 'rag:read',
      handle: async (exchange) => {
        const body = await exchange.json(searchBody)
        const { store, retriever } = await parts.open()
        const query = await readQuery(store, exchange.caller, body)
        const perDocument = body.per_document
        const found = await retriever.retrieve(
          {
            ...query,
            chat: parts.chatModelFor(exchange.caller),
            ...(perDocument === undefined ? {} : { perDocument }),
          },
          exchange.signal,
        )
        return ok({
          results: found.passages.map(passageView),
          none: found.none,
          confidence: found.confidence,
          missing: found.missing ?? [],
          request_id: exchange.id,
        })
      },
    },
  ]
}

type Asked = Pick<z.output<typeof searchBody>, 'query' | 'collection' | 'collections' | 'filter' | 'mode' | 'top_k'>

/** Throws `malformed` where no collection is named, `not_found` for one that the caller may not read. */
async function readQuery(store: KnowledgeStore, caller: Caller, body: Asked): Promise<RetrieveQuery> {
  if ((body.collection === undefined) === (body.collections === undefined)) {
    throw new AppError('malformed', 'Name where to look: either collection, or collections as a list.', {
      field: 'collection',
    })
  }
  const names = [...new Set(body.collections ?? [body.collection ?? ''])]
  for (const name of names) await getReadable(store, caller, name)
  return {
    tenant: caller.tenant,
    ...(caller.team === undefined ? {} : { team: caller.team }),
    text: body.query,
    collections: names,
    topK: body.top_k,
    ...(body.filter ? { filter: body.filter } : {}),
    ...(body.mode ? { mode: body.mode } : {}),
  }
}

const BEAT_MS = 15_000

/**
 * Server-sent events: `sentence` for each that was checked, and one last `done` (the whole answer, as without streaming) or
 * `error`. What goes wrong before the first event is an ordinary error reply.
 */
async function streamAnswer(exchange: Exchange, from: AnswerParts, question: Question): Promise<Reply> {
  const { response } = exchange.raw
  const begin = (): void => {
    if (!response.headersSent) beginEvents(exchange)
  }
  const tell = (event: string, data: unknown): void => {
    begin()
    // An answer is bounded, so a client that takes nothing costs no more than one.
    response.write(formatSse(JSON.stringify(data), event))
  }
  const told = new Set<number>()
  const beat = setInterval(() => {
    begin()
    response.write(': beat\n\n')
  }, BEAT_MS)
  beat.unref()
  try {
    const answer = await answerQuestion(from, question, exchange.signal, (sentence, sources) => {
      const fresh = sentence.citations.filter((n) => !told.has(n))
      for (const n of fresh) told.add(n)
      tell(
        'sentence',
        sentenceView(
          sentence,
          sources.filter(({ n }) => fresh.includes(n)),
        ),
      )
    })
    tell('done', answerView(answer, exchange.id))
  } catch (error) {
    if (!response.headersSent) throw error
    const reply = errorReply(toAppError(error), 'midwatch', exchange.id)
    if (reply !== 'streamed' && 'json' in reply) tell('error', reply.json)
    from.log.warn({ err: error, requestId: exchange.id }, 'an answer broke off')
  } finally {
    clearInterval(beat)
    if (response.headersSent) response.end()
  }
  return 'streamed'
}
