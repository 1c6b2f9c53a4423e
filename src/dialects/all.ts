// The dialects there are, by name.
import type { Dialect, DialectName } from '../llm/dialect.ts'
import { anthropicCountTokens } from './anthropic-count-tokens/dialect.ts'
import { anthropicMessages } from './anthropic-messages/dialect.ts'
import { openAiChat } from './openai-chat/dialect.ts'
import { openAiEmbeddings } from './openai-embeddings/dialect.ts'
import { openAiResponses } from './openai-responses/dialect.ts'

export const DIALECT: Readonly<Partial<Record<DialectName, Dialect>>> = {
  'openai-chat': openAiChat,
  'openai-embeddings': openAiEmbeddings,
  'openai-responses': openAiResponses,
  'anthropic-messages': anthropicMessages,
  'anthropic-count-tokens': anthropicCountTokens,
}
