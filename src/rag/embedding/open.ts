// The embedding model that the config names.
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { RagEmbeddingConfig } from '../../config/rag-embedding-schema.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import type { Log } from '../../observe/log.ts'
import { openInThread } from './thread-model.ts'

export interface EmbeddingOptions {
  /** What is converted once is kept in it. */
  readonly dataFolder: string
  /** A model of our own gateway, by its name in the config. */
  readonly gatewayEmbedding: (model: string) => Promise<EmbeddingModel>
  readonly log: Log
}

/** Cores for embedding: one is the gateway's. */
const MAX_THREADS = 4

/** Throws AppError that says what is missing and what to do. */
export async function openEmbedding(config: RagEmbeddingConfig, options: EmbeddingOptions): Promise<EmbeddingModel> {
  const threads = Math.max(1, Math.min(MAX_THREADS, availableParallelism() - 1))
  switch (config.provider) {
    case 'local':
      return await openInThread(
        { kind: 'use-lite', cacheFolder: join(resolve(options.dataFolder), 'models'), threads },
        options.log,
      )
    case 'onnx': {
      const { path, queryPrefix, passagePrefix } = config
      return await openInThread(
        { kind: 'directory', path: resolve(path), queryPrefix, passagePrefix, threads },
        options.log,
      )
    }
    case 'gateway':
      return await options.gatewayEmbedding(config.model)
  }
}
