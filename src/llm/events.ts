// An answer in no dialect, as a sequence of events: what a provider's reader produces and a dialect's writer consumes,
// where caller and provider do not speak the same. A plain answer is the same sequence at once.
//
// The grammar, which writers may rely on: one `start`; then parts, each opened by its first event and ended by the first
// event of another part or by `finish`; one `finish` for each choice; any number of `usage` (each replaces the one
// before); nothing after that. Parts of one choice never interleave. `choice` counts from 0.
import type { Usage } from './chat.ts'

export type AnswerEvent =
  | {
      readonly kind: 'start'
      readonly id: string
      readonly model: string
      /** Seconds since the epoch. */ readonly createdS: number
    }
  /** `id`: the provider's own for this part, where it has one; a different id begins another part. */
  | { readonly kind: 'text'; readonly choice: number; readonly text: string; readonly id?: string }
  | { readonly kind: 'reasoning'; readonly choice: number; readonly text: string; readonly id?: string }
  /** Ends the reasoning before it. Without text before it (`encrypted`), it is a part of its own. */
  | {
      readonly kind: 'reasoning-proof'
      readonly choice: number
      readonly signature?: string
      readonly encrypted?: string
      readonly id?: string
    }
  | { readonly kind: 'refusal'; readonly choice: number; readonly text: string }
  /** Opens a tool call: `id` is the call's. Its arguments follow. */
  | {
      readonly kind: 'tool-call'
      readonly choice: number
      readonly id: string
      readonly name: string
      readonly itemId?: string
    }
  /** More of the arguments (JSON) of the latest tool call of this choice. */
  | { readonly kind: 'tool-arguments'; readonly choice: number; readonly json: string }
  | {
      readonly kind: 'finish'
      readonly choice: number
      readonly reason: FinishReason
      /** Which of the caller's stop sequences ended it, where the provider says. */
      readonly stopSequence?: string
    }
  | { readonly kind: 'usage'; readonly usage: Usage }
  /** The vectors of an embeddings answer, one for each input, in order. */
  | { readonly kind: 'embeddings'; readonly vectors: readonly (readonly number[])[] }

export type FinishReason =
  | 'stop' // it was done, or met a stop sequence
  | 'length' // its limit of tokens
  | 'tool-calls'
  | 'content-filter' // the provider withheld the rest
  | 'refusal' // the model declined
  | 'pause' // the provider asks to be called again with what it said so far
