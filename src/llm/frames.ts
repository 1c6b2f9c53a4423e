// An answer on its way to the caller: whole pieces of it in the caller's dialect, and beside each what was seen in it.
// The bytes are what the provider sent wherever it speaks the caller's dialect; they are looked at, never rewritten.
import type { Usage } from './chat.ts'

export interface Frame {
  /**
   * `lifecycle`: a greeting or a ping; if no content follows, nobody misses it.
   * `content`: something the model said. `usage`: only accounting. `end`: the dialect's mark that all was said.
   */
  readonly kind: 'lifecycle' | 'content' | 'usage' | 'end'
  readonly bytes: Uint8Array
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
