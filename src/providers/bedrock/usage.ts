// Bedrock's count of tokens, made ours. Its input is without what was read from a cache or written to one.
import { countOf, isObject, objectsIn } from '../../dialects/json.ts'
import { NO_USAGE, type Usage } from '../../llm/chat.ts'

export function readUsage(usage: unknown): Usage | null {
  if (!isObject(usage)) return null
  const written = countOf(usage['cacheWriteInputTokens'])
  const hours = objectsIn(usage['cacheDetails']).filter(({ ttl }) => ttl === '1h')
  const hour = hours.length === 0 ? null : hours.reduce((sum, one) => sum + (countOf(one['inputTokens']) ?? 0), 0)
  return {
    ...NO_USAGE,
    inputTokens: countOf(usage['inputTokens']),
    cacheReadTokens: countOf(usage['cacheReadInputTokens']),
    cacheWriteTokens: written === null ? null : Math.max(0, written - (hour ?? 0)),
    cacheWrite1hTokens: hour,
    outputTokens: countOf(usage['outputTokens']),
  }
}
