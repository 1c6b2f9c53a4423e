// OpenAI's embeddings at the door: `POST /v1/embeddings`.
import { openAiEmbeddings } from '../../dialects/openai-embeddings/dialect.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Route } from '../exchange.ts'
import { modelCallRoute } from './model-call.ts'

export const embeddingRoutes = (gateway: Gateway): Route[] => [
  modelCallRoute(gateway, openAiEmbeddings, 'openai', 'llm:embed'),
]
