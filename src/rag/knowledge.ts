// The knowledge base as the rest of Midwatch gets it: the store, the models, the ingest and the upkeep of the collections
// that the config names. Nothing of it is opened before it is needed: who has no knowledge pays for none.
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { RagConfig } from '../config/rag-schema.ts'
import type { Clock } from '../core/clock.ts'
import { AppError, describeError } from '../core/errors.ts'
import type { EmbeddingModel } from '../llm/embedding.ts'
import type { Retriever } from '../llm/retriever.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics.ts'
import type { RawDocument } from './document.ts'
import { createSourceMaker, type SourceMaker } from './ingest/collection-sources.ts'
import { type IngestOptions, ingestDocument, type IngestParts, ingestSource } from './ingest/ingest.ts'
import { openDocumentReader } from './ingest/open-reader.ts'
import { createOneAtATime } from './ingest/one-at-a-time.ts'
import { reembed } from './ingest/reembed.ts'
import type { IngestReport } from './ingest/report.ts'
import type { Source } from './ingest/source.ts'
import { createUpkeep, type Upkeep } from './ingest/upkeep.ts'
import { createKnowledgeMetrics, type KnowledgeMetrics } from './metrics.ts'
import type { AssistParts } from './search/assist.ts'
import { createRetriever } from './search/retriever.ts'
import { createModelShelf, type ModelShelf } from './models.ts'
import type { Collection, KnowledgeStore } from './store/store.ts'

export interface KnowledgeOptions {
  readonly config: RagConfig
  readonly dataFolder: string
  /** The model that the config names; with an id, the one that once made vectors, if that can be told by its id. */
  readonly openEmbedding: (id?: string) => Promise<EmbeddingModel | null>
  /** Where there is one, what happens is counted. */
  readonly metrics?: Metrics
  readonly clock: Clock
  readonly log: Log
}

export interface Knowledge {
  /** Opens it at the first call. Throws AppError, and is tried again at the next. */
  open(): Promise<OpenKnowledge>
  /** There is something to be kept up to date, or something kept. */
  readonly isWanted: boolean
  /** For those who ask without knowing whether there is a knowledge base. */
  readonly retriever: Retriever
  /** Keeps the collections of the config up to date from now on, until it is stopped. */
  start(): void
  /** For `/health/detail`. */
  health(): KnowledgeHealth
  /** Whoever holds a user's data erases it here too. How many documents. */
  eraseOwner(tenant: string, owner: string): Promise<number>
  stop(): Promise<void>
}

export interface OpenKnowledge {
  readonly store: KnowledgeStore
  readonly models: ModelShelf
  readonly sources: SourceMaker
  readonly retriever: Retriever
  ingest(collection: Collection, source: Source, options: IngestOptions, signal: AbortSignal): Promise<IngestReport>
  put(collection: Collection, document: RawDocument, signal: AbortSignal): ReturnType<typeof ingestDocument>
  /** As `reembed`. */
  reembed(collection: Collection, onProgress: (done: number) => void, signal: AbortSignal): Promise<number>
  stop(): Promise<void>
}

export interface KnowledgeHealth {
  readonly state: 'closed' | 'opening' | 'open' | 'failed'
  readonly reason?: string
  readonly embedding?: string
  readonly collections: ReturnType<Upkeep['state']>['collections']
  readonly embeddingAnew: ReturnType<Upkeep['state']>['embeddingAnew']
  /** Former models that are not to be had: their collections are searched by words alone until they are embedded anew. */
  readonly wordsOnly: Readonly<Record<string, string>>
}

export function createKnowledge(options: KnowledgeOptions): Knowledge {
  const { config, dataFolder, log } = options
  const metrics = options.metrics && createKnowledgeMetrics(options.metrics, () => opened?.store, config)
  let opening: Promise<OpenKnowledge> | undefined
  let opened: OpenKnowledge | undefined
  let failure: string | undefined
  let upkeep: Upkeep | undefined
  let stopped = false

  const open = (): Promise<OpenKnowledge> => {
    if (stopped) return Promise.reject(new AppError('unavailable', 'The knowledge base is being stopped.'))
    opening ??= openKnowledge(options, metrics).then(
      (knowledge) => {
        failure = undefined
        return (opened = knowledge)
      },
      (error: unknown) => {
        opening = undefined
        failure = describeError(error)
        throw error
      },
    )
    return opening
  }
  return {
    open,
    isWanted: Object.keys(config.collections).length > 0 || isKept(options),
    retriever: {
      retrieve: async (query, signal) => (await open()).retriever.retrieve(query, signal),
    },
    start: () => {
      upkeep ??= createUpkeep({ config, open, metrics, clock: options.clock, log })
      upkeep.start()
    },
    health: () => ({
      state: opened ? 'open' : opening ? 'opening' : failure === undefined ? 'closed' : 'failed',
      ...(failure === undefined ? {} : { reason: failure }),
      ...(opened ? { embedding: opened.models.current.id } : {}),
      ...(upkeep?.state() ?? { collections: {}, embeddingAnew: {} }),
      wordsOnly: Object.fromEntries(opened?.models.missing() ?? []),
    }),
    // Without a knowledge base there is nothing of anybody in it, and none is made to find that out.
    eraseOwner: async (tenant, owner) => (isKept(options) ? (await open()).store.eraseOwner(tenant, owner) : 0),
    stop: async () => {
      stopped = true
      await upkeep?.stop()
      const knowledge = await opening?.catch(() => undefined)
      await knowledge?.stop()
    },
  }

  function isKept({ config }: KnowledgeOptions): boolean {
    return config.database !== undefined || existsSync(knowledgeFile(dataFolder))
  }
}

const knowledgeFolder = (dataFolder: string): string => join(dataFolder, 'knowledge')
export const knowledgeFile = (dataFolder: string): string => join(knowledgeFolder(dataFolder), 'knowledge.db')

/** What a server has from `createKnowledge`, and a command opens by itself: several processes may. */
export async function openKnowledge(options: KnowledgeOptions, metrics?: KnowledgeMetrics): Promise<OpenKnowledge> {
  const { config, dataFolder, openEmbedding, clock, log } = options
  const store = await openStore(options)
  try {
    const model = await openEmbedding()
    if (!model) throw new AppError('internal', 'There is no embedding model.')
    const models = createModelShelf(model, openEmbedding, log)
    const { reader, recipe } = openDocumentReader(config.chunk)
    const parts: IngestParts = { store, model, reader, recipe, clock }
    const oneAtATime = createOneAtATime({ folder: join(knowledgeFolder(dataFolder), 'locks'), clock })
    const sources = createSourceMaker({ folder: knowledgeFolder(dataFolder), allow: config.fetch.allow })
    const retriever = createRetriever({
      store,
      modelOf: (embedding) => models.modelOf(embedding),
      log,
      ...assistOf(options),
    })
    return {
      store,
      models,
      sources,
      retriever: metrics?.timed(retriever) ?? retriever,
      ingest: async (collection, source, how, signal) => {
        const report = await oneAtATime(
          { collection: collection.id, place: source.place },
          () => ingestSource(parts, collection, source, how, signal),
          { signal, onWait: how.onWait },
        )
        metrics?.ingested(report)
        // All of it is stored by now, and is searched without as well.
        if (report.passages > 0)
          await store.settle(collection.id, signal).catch((error: unknown) => {
            log.warn({ err: error }, 'a graph of vectors could not be built; its collection is searched without')
          })
        return report
      },
      put: (collection, document, signal) => ingestDocument(parts, collection, document, signal),
      reembed: (collection, onProgress, signal) => reembed(parts, collection, onProgress, signal),
      stop: async () => {
        await sources.stop()
        await models.stop()
        await store.stop()
      },
    }
  } catch (error) {
    await store.stop()
    throw error
  }
}

function assistOf({ config: { rerank, rewrite }, clock, log }: KnowledgeOptions): { assist?: AssistParts } {
  return (rerank ?? rewrite) === undefined ? {} : { assist: { rerank, rewrite, clock, log } }
}

/** Loaded only now: each brings native code. */
export async function openStore({
  config,
  dataFolder,
  log,
}: Pick<KnowledgeOptions, 'config' | 'dataFolder' | 'log'>): Promise<KnowledgeStore> {
  if (config.database) {
    const { openPostgresStore } = await import('./store/postgres/open.ts')
    return openPostgresStore(config.database.url.reveal(), { log })
  }
  mkdirSync(knowledgeFolder(dataFolder), { recursive: true, mode: 0o700 })
  const { openSqliteStore } = await import('./store/sqlite/open.ts')
  return openSqliteStore(knowledgeFile(dataFolder), { log })
}
