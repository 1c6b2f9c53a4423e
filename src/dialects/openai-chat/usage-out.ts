// Our count of tokens, made OpenAI's: cached ones are within the prompt's, reasoning within the completion's.
import type { Usage } from '../../llm/chat.ts'

export interface OpenAiUsage {
  readonly input: number
  readonly cached: number | null
  readonly written: number
  readonly output: number
  readonly reasoning: number | null
}

/** null where neither side is known; OpenAI has no way to say that one is not. */
export function countForOpenAi(usage: Usage | null): OpenAiUsage | null {
  if (!usage || (usage.inputTokens === null && usage.outputTokens === null)) return null
  const written = (usage.cacheWriteTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0)
  return {
    input: (usage.inputTokens ?? 0) + (usage.cacheReadTokens ?? 0) + written,
    cached: usage.cacheReadTokens,
    written,
    output: usage.outputTokens ?? 0,
    reasoning: usage.reasoningTokens,
  }
}

/** The `usage` of a chat answer; undefined where nothing is known. */
export function chatUsage(usage: Usage | null): Readonly<Record<string, unknown>> | undefined {
  const count = countForOpenAi(usage)
  if (!count) return undefined
  const { input, cached, written, output, reasoning } = count
  // The name under which OpenRouter tells what was written to a cache; OpenAI has none.
  const details = {
    ...(cached === null ? {} : { cached_tokens: cached }),
    ...(written > 0 ? { cache_write_tokens: written } : {}),
  }
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    ...(Object.keys(details).length > 0 ? { prompt_tokens_details: details } : {}),
    ...(reasoning === null ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
  }
}
