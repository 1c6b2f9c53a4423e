// OpenAI's count of tokens, made ours. It counts cached ones within the prompt's, and reasoning within the completion's.
// Groq hides its usage in `x_groq`; DeepSeek names its cached tokens differently; xAI counts reasoning apart, which its
// total gives away; Google, where it speaks this dialect, counts what was thought in the total alone.
import type { Usage } from '../../llm/chat.ts'
import { countOf, isObject, type Json } from '../json.ts'

/** The usage that a chunk or an answer tells; null where it tells none. */
export function readUsage(chunk: Json): Usage | null {
  const hidden = isObject(chunk['x_groq']) ? chunk['x_groq']['usage'] : undefined
  const usage = isObject(chunk['usage']) ? chunk['usage'] : isObject(hidden) ? hidden : undefined
  if (!usage) return null
  const prompt = countOf(usage['prompt_tokens'])
  const details = usage['prompt_tokens_details']
  const cached = countOf(detail(details, 'cached_tokens')) ?? countOf(usage['prompt_cache_hit_tokens'])
  // OpenRouter passes on what others wrote to their caches.
  const written = countOf(detail(details, 'cache_write_tokens'))
  const completion = countOf(usage['completion_tokens'])
  const total = countOf(usage['total_tokens']) ?? 0
  const told = countOf(detail(usage['completion_tokens_details'], 'reasoning_tokens'))
  const untold = prompt === null || completion === null ? 0 : total - prompt - completion
  const reasoning = told ?? (untold > 0 ? untold : null)
  const apart = (prompt ?? 0) + (completion ?? 0) + (reasoning ?? 0) === total
  return {
    inputTokens: prompt === null ? null : Math.max(0, prompt - (cached ?? 0) - (written ?? 0)),
    cacheReadTokens: cached,
    cacheWriteTokens: written,
    cacheWrite1hTokens: null,
    outputTokens: completion !== null && apart ? completion + (reasoning ?? 0) : completion,
    reasoningTokens: reasoning,
  }
}

const detail = (details: unknown, name: string): unknown => (isObject(details) ? details[name] : undefined)
