// Which embedding model the config names, made where all is made: some of them are ours, some are asked through the gateway.
import type { Config } from './config/schema.ts'
import type { EmbeddingModel } from './llm/embedding.ts'
import { hashEmbedding } from './rag/testing/hash-embedding.ts'

/** As `KnowledgeOptions.openEmbedding`. */
export function embeddingOpener(_config: Config): (id?: string) => Promise<EmbeddingModel | null> {
  return async (id) => (id === undefined || id === hashEmbedding().id ? hashEmbedding() : null)
}
