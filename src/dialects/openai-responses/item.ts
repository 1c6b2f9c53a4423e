// One item of a provider's output as it grows, and the events that it makes.
import type { AnswerEvent } from '../../llm/events.ts'
import { type Json, objectsIn, textOf } from '../json.ts'
import { markProof } from '../proof.ts'

type Speech = 'text' | 'refusal' | 'reasoning' | 'arguments'

export class Item {
  #type = ''
  #id: string | undefined
  #events: AnswerEvent[] = []
  /** What was told of each part, by its place within the item. */
  readonly #told = new Map<string, string>()
  #called = false
  #thought = false
  #proved = false
  /** Nothing more will come of it. */
  ended = false

  begin(item: Json): void {
    this.#type = textOf(item['type']) ?? ''
    this.#id ??= textOf(item['id'])
    if (this.#type === 'function_call') this.#call(item)
  }

  /** More of a part. */
  say(kind: Speech, event: Json): void {
    const delta = textOf(event['delta']) ?? ''
    if (this.ended || delta === '') return
    this.#id ??= textOf(event['item_id'])
    const part = partOf(kind, event['summary_index'] ?? event['content_index'] ?? 0)
    const told = this.#told.get(part)
    this.#told.set(part, (told ?? '') + delta)
    this.#push(kind, delta, told === undefined)
  }

  /** The item as it is at last. */
  end(item: Json): void {
    // The list of a server that leaves items away at the end does not match the places of those that it told.
    if (this.ended || (this.#type !== '' && this.#type !== item['type'])) return
    this.begin(item)
    switch (this.#type) {
      case 'message':
        for (const [i, part] of objectsIn(item['content']).entries()) {
          if (part['type'] === 'refusal') this.#rest('refusal', i, part['refusal'])
          else this.#rest('text', i, part['text'])
        }
        break
      case 'reasoning':
        for (const [i, part] of objectsIn(item['summary']).entries()) this.#rest('reasoning', i, part['text'])
        for (const [i, part] of objectsIn(item['content']).entries()) this.#rest('reasoning', i, part['text'])
        this.#prove(textOf(item['encrypted_content']))
        break
      case 'function_call':
        this.#rest('arguments', 0, item['arguments'])
    }
    this.ended = true
  }

  /** What has not been taken yet. */
  take(): readonly AnswerEvent[] {
    const events = this.#events
    if (events.length > 0) this.#events = []
    return events
  }

  /** What of a part no delta told. Where the deltas told something else, it was that which was said. */
  #rest(kind: Speech, index: number, whole: unknown): void {
    const text = textOf(whole) ?? ''
    const told = this.#told.get(partOf(kind, index)) ?? ''
    if (text.length <= told.length || !text.startsWith(told)) return
    this.#told.set(partOf(kind, index), text)
    this.#push(kind, text.slice(told.length), told === '')
  }

  #push(kind: Speech, text: string, first: boolean): void {
    const id = this.#id === undefined ? {} : { id: this.#id }
    switch (kind) {
      case 'text':
        this.#events.push({ kind, choice: 0, text, ...id })
        break
      case 'refusal':
        this.#events.push({ kind, choice: 0, text })
        break
      case 'reasoning':
        // Parts of a summary are paragraphs.
        this.#events.push({ kind, choice: 0, text: first && this.#thought ? `\n\n${text}` : text, ...id })
        this.#thought = true
        break
      case 'arguments':
        if (this.#called) this.#events.push({ kind: 'tool-arguments', choice: 0, json: text })
    }
  }

  #call(item: Json): void {
    if (this.#called) return
    this.#called = true
    const id = textOf(item['call_id']) ?? this.#id ?? ''
    const itemId = this.#id === undefined ? {} : { itemId: this.#id }
    this.#events.push({ kind: 'tool-call', choice: 0, id, name: textOf(item['name']) ?? '', ...itemId })
  }

  #prove(proof: string | undefined): void {
    if (!proof || this.#proved) return
    this.#proved = true
    const id = this.#id === undefined ? {} : { id: this.#id }
    this.#events.push({ kind: 'reasoning-proof', choice: 0, encrypted: markProof('openai', proof), ...id })
  }
}

const partOf = (kind: Speech, index: unknown): string => `${kind} ${String(index)}`
