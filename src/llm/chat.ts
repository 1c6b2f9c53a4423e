// The neutral language of model calls, for the parts of Midwatch that ask a model and do not care which.

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

export interface ChatRequest {
  /** A name from the config's `models`. */
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly maxTokens?: number
  readonly temperature?: number
  /** Ask for JSON of this schema. */
  readonly jsonSchema?: { readonly name: string; readonly schema: Readonly<Record<string, unknown>> }
  /** Who is to be charged, beside the caller: `incident inc_…`. */
  readonly purpose?: string
}

/** Normalised once: `inputTokens` excludes what came from a cache. null where the provider did not say. */
export interface Usage {
  readonly inputTokens: number | null
  readonly cacheReadTokens: number | null
  readonly cacheWriteTokens: number | null
  readonly outputTokens: number | null
  readonly reasoningTokens: number | null
}

export interface ChatAnswer {
  readonly text: string
  /** The model that answered, as the provider names it. */
  readonly model: string
  readonly usage: Usage
  /** Millionths of a US dollar; null when the price is unknown. */
  readonly costMicroUsd: number | null
}

/** How the rest of Midwatch asks a model: always through our own gateway. Throws AppError. */
export interface ChatModel {
  complete(request: ChatRequest, signal: AbortSignal): Promise<ChatAnswer>
}
