// How a choice ends, in OpenAI's words; and which words for it mean that it was broken off.
import type { FinishReason } from '../../llm/events.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { type Json, textOf } from '../json.ts'

/** DeepSeek's word where it ran out of machines, and those of vLLM, SGLang and OpenRouter where something failed. */
const BROKEN: ReadonlySet<string> = new Set(['insufficient_system_resource', 'abort', 'error'])

/**
 * The reason that a choice of a provider's gives, or undefined: some servers write an empty one into every chunk. Throws
 * ProviderFailure where it means that the answer broke off, which must not pass for an end.
 */
export function finishReasonIn(choice: Json): string | undefined {
  const reason = textOf(choice['finish_reason'])
  if (reason !== undefined && BROKEN.has(reason)) {
    throw new ProviderFailure('upstream_5xx', `it broke its answer off: ${reason}`)
  }
  return reason === '' ? undefined : reason
}

export interface Said {
  readonly calls: boolean
  readonly refusal: boolean
}

/**
 * Tool calls never end as `stop`, nor does a refusal without words: an SDK would take either for a finished answer. A
 * refusal in words ends as OpenAI's own do. An answer that its provider paused is not finished, and the nearest to that
 * is `length`.
 */
export function chatFinish(reason: FinishReason, { calls, refusal }: Said): string {
  switch (reason) {
    case 'stop':
    case 'tool-calls':
      return calls ? 'tool_calls' : 'stop'
    case 'length':
    case 'pause':
      return 'length'
    case 'content-filter':
      return 'content_filter'
    case 'refusal':
      return refusal ? 'stop' : 'content_filter'
  }
}
