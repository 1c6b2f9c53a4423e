// What an answer has said so far, part by part: the measure for going on with it elsewhere.
import type { AnswerEvent } from '../llm/events.ts'

export type SaidPart =
  | { readonly kind: 'text' | 'refusal'; text: string }
  | { readonly kind: 'tool-call'; readonly name: string; text: string }

export class Said {
  /** Without reasoning, which no second answer repeats. */
  readonly parts: SaidPart[] = []
  finished = false
  /** Characters of all parts, and one for each. */
  length = 0
  /** The provider's names of the parts of text that say something, in order: a writer begins a part with a new name. */
  readonly textIds: string[] = []

  /** Of the first choice. */
  add(events: readonly AnswerEvent[]): void {
    for (const event of events) {
      if ('choice' in event && event.choice !== 0) continue
      if (event.kind === 'text' && event.text !== '' && event.id !== undefined && this.textIds.at(-1) !== event.id)
        this.textIds.push(event.id)
      if (event.kind === 'text' || event.kind === 'refusal') this.#extend(event.kind, event.text)
      else if (event.kind === 'tool-call') this.#begin({ kind: 'tool-call', name: event.name, text: '' })
      else if (event.kind === 'tool-arguments') {
        const last = this.parts.at(-1)
        if (last?.kind !== 'tool-call') continue
        last.text += event.json
        this.length += event.json.length
      } else if (event.kind === 'finish') this.finished = true
    }
  }

  /** The text of the first choice. */
  get text(): string {
    return this.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
  }

  /** Nothing but text: then a target that takes a prefill can go on right behind it. */
  get onlyText(): boolean {
    return this.parts.length === 1 && this.parts[0]?.kind === 'text'
  }

  #extend(kind: 'text' | 'refusal', text: string): void {
    if (text === '') return
    const last = this.parts.at(-1)
    if (last?.kind !== kind) return this.#begin({ kind, text })
    last.text += text
    this.length += text.length
  }

  #begin(part: SaidPart): void {
    this.parts.push(part)
    this.length += part.text.length + 1
  }
}
