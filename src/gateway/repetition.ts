// How far a second answer has repeated a first one. Each piece is compared where it stands and never again: an answer of
// a hundred thousand pieces costs no more than reading it.
import type { AnswerEvent } from '../llm/events.ts'
import type { SaidPart } from './said.ts'

/** What says something that a second answer would say again. */
export type Speech = Extract<AnswerEvent, { kind: 'text' | 'refusal' | 'tool-call' | 'tool-arguments' }>

export type Repeated =
  /** All of it was said before. */
  | { readonly kind: 'again' }
  /** It goes beyond: so much of its text is new, or (undefined) all of it begins a new part. */
  | { readonly kind: 'beyond'; readonly fresh: string | undefined }
  /** It says something else. */
  | { readonly kind: 'diverged' }

const AGAIN: Repeated = { kind: 'again' }
const DIVERGED: Repeated = { kind: 'diverged' }

export class Repetition {
  readonly #expected: readonly SaidPart[]
  /** The part that is being repeated, and how much of its text has been. */
  #at = -1
  #length = 0

  constructor(expected: readonly SaidPart[]) {
    this.#expected = expected.map((part) => ({ ...part }))
  }

  /** All of the first answer has been said again. */
  get whole(): boolean {
    return this.#at === this.#expected.length - 1 && this.#partIsWhole
  }

  /** Not to be asked once something went beyond or diverged. */
  take(event: Speech): Repeated {
    if (event.choice !== 0) return AGAIN
    const text = event.kind === 'tool-call' ? '' : event.kind === 'tool-arguments' ? event.json : event.text
    const current = this.#expected[this.#at]
    // As `Said` has it: arguments belong to the call before them, and text of a kind goes on with text of that kind.
    if (event.kind === 'tool-arguments' && current?.kind !== 'tool-call') return AGAIN
    if (event.kind !== 'tool-arguments' && (event.kind === 'tool-call' || event.kind !== current?.kind)) {
      if (!this.#partIsWhole) return DIVERGED
      if (this.whole) return { kind: 'beyond', fresh: undefined }
      const next = this.#expected[++this.#at]
      this.#length = 0
      if (next?.kind !== event.kind) return DIVERGED
      if (event.kind === 'tool-call' && next.kind === 'tool-call' && next.name !== event.name) return DIVERGED
    }
    return this.#compare(text)
  }

  #compare(text: string): Repeated {
    const expected = this.#expected[this.#at]?.text ?? ''
    if (expected.startsWith(text, this.#length)) {
      this.#length += text.length
      return AGAIN
    }
    const owed = expected.slice(this.#length)
    if (this.#at < this.#expected.length - 1 || !text.startsWith(owed)) return DIVERGED
    return { kind: 'beyond', fresh: text.slice(owed.length) }
  }

  get #partIsWhole(): boolean {
    return this.#length === (this.#expected[this.#at]?.text.length ?? 0)
  }
}
