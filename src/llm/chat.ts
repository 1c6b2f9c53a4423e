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

/**
 * What a call used, normalised once, in tokens: whatever the provider's own way of counting, no token is in two of these
 * (but for reasoning, which is also output). null where the provider did not say.
 */
export interface Usage {
  /** Read anew: neither from a cache nor written to one. */
  readonly inputTokens: number | null
  readonly cacheReadTokens: number | null
  /** Written to the provider's prompt cache for five minutes (or for however long it keeps things by default). */
  readonly cacheWriteTokens: number | null
  /** Written to it for an hour. */
  readonly cacheWrite1hTokens: number | null
  /** With reasoning. */
  readonly outputTokens: number | null
  /** Of the output. */
  readonly reasoningTokens: number | null
}

export const NO_USAGE: Usage = {
  inputTokens: null,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  cacheWrite1hTokens: null,
  outputTokens: null,
  reasoningTokens: null,
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
  /** `onText` gets the text piece by piece as it comes; of a model that cannot stream it may get nothing before the end. */
  complete(request: ChatRequest, signal: AbortSignal, onText?: (text: string) => void): Promise<ChatAnswer>
}
