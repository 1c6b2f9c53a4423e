// One document, from its bytes into the store: parsed, cut, embedded, and put in place whole.
import type { Clock } from '../../core/clock.ts'
import { AppError, describeError, toAppError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import type { RawDocument } from '../document.ts'
import type { Collection, KnowledgeStore } from '../store/store.ts'
import { type EmbedBatcher, isOfTexts } from './embed-batcher.ts'
import { embeddingText } from './embedding-text.ts'
import type { DocumentReader } from './reader.ts'

export interface PutTools {
  readonly store: KnowledgeStore
  readonly model: EmbeddingModel
  readonly reader: DocumentReader
  readonly clock: Clock
  readonly batcher: EmbedBatcher
}

/** What is wrong with one document, and with nothing else: it is told by name, and the rest goes on. */
export class DocumentFault extends Error {
  override readonly name = 'DocumentFault'
}

/** Of a document with more, every other would wait for it and its vectors would fill the memory. */
const MAX_PASSAGES = 20_000
const RETRY_PAUSES_MS = [500, 2_000, 8_000]

/** Returns how many passages. Throws DocumentFault, or what keeps any document from being put. */
export async function putDocument(
  tools: PutTools,
  of: {
    readonly collection: Pick<Collection, 'id' | 'tenant'>
    readonly raw: RawDocument
    readonly hash: string
    readonly origin: string | null
  },
  signal: AbortSignal,
): Promise<number> {
  const { store, model, reader, clock, batcher } = tools
  const { raw } = of
  const read = await reader.read(raw, signal, of.collection.tenant).catch((error: unknown) => {
    signal.throwIfAborted()
    throw new DocumentFault(describeError(error), { cause: error })
  })
  const { title, text, metadata, passages } = read
  if (passages.length > MAX_PASSAGES) {
    throw new DocumentFault(`It has ${passages.length} passages, and at most ${MAX_PASSAGES} are taken. Split it.`)
  }
  const texts = passages.map((passage) => embeddingText({ title, headings: passage.headings, text: passage.text }))
  const vectors = await patiently(clock, signal, () => batcher.embed(texts))
  signal.throwIfAborted()
  const document = {
    id: raw.id,
    title,
    source: raw.source,
    contentHash: of.hash,
    metadata: { ...metadata, ...raw.metadata },
    owner: raw.owner ?? null,
    origin: of.origin,
    ingestedAt: clock.now(),
    text,
    passages: passages.map((passage, i) => ({ ...passage, vectors: vectors[i] ?? [] })),
  }
  await store.putDocument(of.collection.id, document, { model: model.id, dimension: model.dimension })
  return passages.length
}

/** A model that cannot answer for a moment must not end an ingest of hours. */
async function patiently<T>(clock: Clock, signal: AbortSignal, embed: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await embed()
    } catch (error) {
      signal.throwIfAborted()
      if (isOfTexts(error))
        throw new DocumentFault(`The embedding model does not take it: ${describeError(error)}`, { cause: error })
      const pauseMs = RETRY_PAUSES_MS[attempt]
      if (!toAppError(error).retryable || pauseMs === undefined) throw modelFailed(error)
      await clock.sleep(pauseMs, signal)
    }
  }
}

function modelFailed(error: unknown): AppError {
  const { code } = toAppError(error)
  return new AppError(code, `The embedding model failed: ${describeError(error)} Run it again to go on from here.`, {
    cause: error,
  })
}
