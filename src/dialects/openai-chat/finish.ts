// How a choice ends, in OpenAI's words.
import type { FinishReason } from '../../llm/events.ts'

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
