// Usage as Responses counts it: cached tokens within the input's, reasoning within the output's.
import type { Usage } from '../../llm/chat.ts'
import { countOf, isObject, type Json } from '../json.ts'
import { countForOpenAi } from '../openai-chat/usage-out.ts'

/** The usage that a response tells; null where it tells none. */
export function readUsage(response: Json): Usage | null {
  const usage = response['usage']
  if (!isObject(usage)) return null
  const input = countOf(usage['input_tokens'])
  const cached = countOf(detail(usage['input_tokens_details'], 'cached_tokens'))
  return {
    inputTokens: input === null ? null : Math.max(0, input - (cached ?? 0)),
    cacheReadTokens: cached,
    cacheWriteTokens: null,
    cacheWrite1hTokens: null,
    outputTokens: countOf(usage['output_tokens']),
    reasoningTokens: countOf(detail(usage['output_tokens_details'], 'reasoning_tokens')),
  }
}

/** undefined where nothing is known. The details have to be there, so what is not known of them is 0. */
export function writeUsage(usage: Usage | null): Json | undefined {
  const count = countForOpenAi(usage)
  if (!count) return undefined
  const { input, cached, output, reasoning } = count
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached ?? 0 },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning ?? 0 },
    total_tokens: input + output,
  }
}

const detail = (details: unknown, name: string): unknown => (isObject(details) ? details[name] : undefined)
