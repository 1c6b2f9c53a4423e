// Google's count of tokens, made ours. Its prompt includes what was read from a cache; what it thought is not in the
// candidates' count; what its own tools fed it is counted beside the prompt.
import { countOf, isObject } from '../../dialects/json.ts'
import { NO_USAGE, type Usage } from '../../llm/chat.ts'

/** null where it tells none: a chunk in the middle may name only the kind of traffic. */
export function readUsage(usage: unknown): Usage | null {
  if (!isObject(usage)) return null
  const prompt = countOf(usage['promptTokenCount'])
  const candidates = countOf(usage['candidatesTokenCount'])
  const thoughts = countOf(usage['thoughtsTokenCount'])
  if (prompt === null && candidates === null) return null
  const cached = countOf(usage['cachedContentTokenCount'])
  const tools = countOf(usage['toolUsePromptTokenCount']) ?? 0
  return {
    ...NO_USAGE,
    inputTokens: prompt === null ? null : Math.max(0, prompt - (cached ?? 0)) + tools,
    cacheReadTokens: cached,
    outputTokens: candidates === null && thoughts === null ? null : (candidates ?? 0) + (thoughts ?? 0),
    reasoningTokens: thoughts,
  }
}
