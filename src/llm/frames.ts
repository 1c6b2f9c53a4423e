// An answer on its way: whole pieces of it, and beside each what was seen in it. Where the provider speaks the caller's
// dialect a piece is the bytes it sent, looked at and never rewritten; elsewhere it is events in no dialect.
import type { Usage } from './chat.ts'
import type { AnswerEvent } from './events.ts'

export interface Frame {
  /**
   * `lifecycle`: a greeting or a ping; if no content follows, nobody misses it.
   * `closing`: the end of a part, which nobody misses until something follows. `content`: something the model said.
   * `usage`: only accounting. `end`: the dialect's mark that all was said.
   */
  readonly kind: 'lifecycle' | 'closing' | 'content' | 'usage' | 'end'
  /** As the provider sent it; empty where the answer is translated. */
  readonly bytes: Uint8Array
  /** Filled where the answer is translated, else empty. */
  readonly events: readonly AnswerEvent[]
  /** What the first choice says here, for readers of text. */
  readonly text: string
  /** Characters that the model wrote here in whatever form: text, reasoning, tool arguments. */
  readonly written: number
  readonly usage: Usage | null
  /** The model as the provider names it; null where this frame does not say. */
  readonly model: string | null
  /** All that was asked for has been said; what may follow is accounting and the end mark. */
  readonly complete: boolean
}

export const NO_BYTES = new Uint8Array(0)
export const NO_EVENTS: readonly AnswerEvent[] = []
