// Anthropic's count of tokens, made ours and back. It counts input without what was cached; a stream tells it twice, the
// second time as running totals that replace the first.
import type { Usage } from '../../llm/chat.ts'
import { countOf, isObject, type Json, objectsIn } from '../json.ts'

/** Adds up what a stream tells of its usage, event by event. */
export class UsageTotals {
  #told: Json | null = null

  /** `usage` of a message_start, a message_delta or a plain answer; the totals so far, or null where it tells none. */
  add(usage: unknown): Usage | null {
    if (!isObject(usage)) return null
    const told: Record<string, unknown> = { ...this.#told }
    for (const [key, value] of Object.entries(usage)) if (value !== null) told[key] = value
    this.#told = told
    return readUsage(told)
  }
}

function readUsage(usage: Json): Usage {
  const written = isObject(usage['cache_creation']) ? usage['cache_creation'] : {}
  const hour = countOf(written['ephemeral_1h_input_tokens'])
  const allWritten =
    countOf(usage['cache_creation_input_tokens']) ?? sum(countOf(written['ephemeral_5m_input_tokens']), hour)
  const details = isObject(usage['output_tokens_details']) ? usage['output_tokens_details'] : {}
  const extra = compactions(usage)
  return {
    inputTokens: sum(countOf(usage['input_tokens']), extra.input),
    cacheReadTokens: countOf(usage['cache_read_input_tokens']),
    cacheWriteTokens: allWritten === null ? null : Math.max(0, allWritten - (hour ?? 0)),
    cacheWrite1hTokens: hour,
    outputTokens: sum(countOf(usage['output_tokens']), extra.output),
    reasoningTokens: countOf(details['thinking_tokens']),
  }
}

/** What it spent on summarising the conversation is charged too, and stands in none of the totals. */
function compactions(usage: Json): { input: number | null; output: number | null } {
  let input: number | null = null
  let output: number | null = null
  for (const one of objectsIn(usage['iterations'])) {
    if (one['type'] !== 'compaction') continue
    input = sum(input, countOf(one['input_tokens']))
    output = sum(output, countOf(one['output_tokens']))
  }
  return { input, output }
}

const sum = (a: number | null, b: number | null): number | null => (a === null ? b : a + (b ?? 0))

/** A usage as Anthropic would tell it. What is unknown is null where its clients allow that, else 0. */
export function writeUsage(usage: Usage): Json {
  const { cacheWriteTokens: minutes, cacheWrite1hTokens: hour } = usage
  return {
    input_tokens: usage.inputTokens ?? 0,
    cache_creation_input_tokens: sum(minutes, hour),
    cache_read_input_tokens: usage.cacheReadTokens,
    ...(hour === null
      ? {}
      : { cache_creation: { ephemeral_5m_input_tokens: minutes ?? 0, ephemeral_1h_input_tokens: hour ?? 0 } }),
    output_tokens: usage.outputTokens ?? 0,
    ...(usage.reasoningTokens === null ? {} : { output_tokens_details: { thinking_tokens: usage.reasoningTokens } }),
  }
}
