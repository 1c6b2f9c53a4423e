// Which embedding model the config names, made where all is made: some of them are ours, some are asked through the gateway.
import type { Config } from './config/schema.ts'
import { LOCAL_CALLER } from './core/caller.ts'
import { AppError } from './core/errors.ts'
import { createGatewayEmbedding } from './gateway/embedding-model.ts'
import type { Gateway } from './gateway/gateway.ts'
import type { EmbeddingModel } from './llm/embedding.ts'
import { createLog, type Log } from './observe/log.ts'
import { openEmbedding } from './rag/embedding/open.ts'
import { USE_LITE } from './rag/embedding/protocol.ts'

interface OpenerParts {
  /** The config's, where it is left out. */
  readonly dataFolder?: string
  readonly log?: Log
  /** Commands have none of their own. */
  readonly gateway?: Gateway
}

/** Who is charged for the vectors of documents, and of the questions about them. */
const KNOWLEDGE = { ...LOCAL_CALLER, keyId: 'knowledge', name: 'knowledge base' }
const PROBE_MS = 30_000

/** As `KnowledgeOptions.openEmbedding`: the one of the config, or a former one by its id, where that is enough to know it. */
export function embeddingOpener(
  config: Config,
  { dataFolder = config.data, log = createLog({ level: 'error' }), gateway }: OpenerParts = {},
): (id?: string) => Promise<EmbeddingModel | null> {
  const gatewayEmbedding = async (model: string): Promise<EmbeddingModel> => {
    if (!gateway) {
      const message = `The embedding model ${model} is asked through the gateway, which a command does not have: let the server read the collection, by rag.collections.`
      throw new AppError('unavailable', message)
    }
    return await createGatewayEmbedding(gateway, KNOWLEDGE, model, AbortSignal.timeout(PROBE_MS))
  }
  const options = { dataFolder, log, gatewayEmbedding }
  return async (id) => {
    if (id === undefined) return await openEmbedding(config.rag.embeddings, options)
    if (id === USE_LITE) return await openEmbedding({ provider: 'local' }, options)
    const model = /^gateway:(.+)$/.exec(id)?.[1]
    return model !== undefined && gateway?.models.includes(model) ? await gatewayEmbedding(model) : null
  }
}
