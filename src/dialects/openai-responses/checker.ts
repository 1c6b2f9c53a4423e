// What the grammar of a Responses stream forbids: numbers out of turn, an item that is opened or closed twice or out of
// place, words for an item that is not open, a last word that differs from what was said, anything after the end.
import type { StreamChecker } from '../../llm/dialect.ts'
import { isObject, type Json, textOf } from '../json.ts'

const TERMINAL = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error'])

interface Open {
  readonly id: unknown
  readonly parts: Map<string, string>
  closed: boolean
}

export class ResponsesChecker implements StreamChecker {
  #next = 0
  #over = false
  readonly #items: Open[] = []

  see(name: string | null, event: unknown): string | null {
    if (this.#over) return 'something after the end'
    if (!isObject(event)) return 'an event that is no object'
    const type = textOf(event['type']) ?? ''
    if (name !== null && name !== type) return `an event named ${name} of the type ${type}`
    if (type === 'error') {
      this.#over = true
      return null
    }
    if (event['sequence_number'] !== this.#next) return `number ${String(event['sequence_number'])} for ${this.#next}`
    if (this.#next === 0 && type !== 'response.created') return `${type} at the beginning`
    if (this.#next++ > 0 && type === 'response.created') return 'a second beginning'
    if (TERMINAL.has(type)) return this.#end(type)
    return typeof event['output_index'] === 'number' ? this.#item(type, event['output_index'], event) : null
  }

  end(): string | null {
    return this.#over ? null : 'no end'
  }

  #end(type: string): string | null {
    this.#over = true
    const open = type === 'response.failed' ? -1 : this.#items.findIndex((item) => !item.closed)
    return open === -1 ? null : `item ${open} was not closed`
  }

  #item(type: string, index: number, event: Json): string | null {
    const given = isObject(event['item']) ? event['item'] : {}
    if (type === 'response.output_item.added') {
      if (index !== this.#items.length) return `item ${index} was opened for ${this.#items.length}`
      this.#items.push({ id: given['id'], parts: new Map(), closed: false })
      return null
    }
    const item = this.#items[index]
    if (!item || item.closed) return `${type} for item ${index}, which is not open`
    if (type === 'response.output_item.done') {
      item.closed = true
      return given['id'] === item.id ? null : `item ${index} was closed under another id`
    }
    if (event['item_id'] !== item.id) return `${type} under another id`
    return checkPart(type, item, event)
  }
}

/** Deltas and what they come to: `response.output_text.delta`, `….done`. */
function checkPart(type: string, item: Open, event: Json): string | null {
  const [, what = '', step = ''] = /^response\.(.+)\.(delta|done)$/.exec(type) ?? []
  if (what === '' || what.endsWith('_part')) return null
  const key = `${what} ${JSON.stringify(event['content_index'] ?? event['summary_index'] ?? 0)}`
  if (step === 'delta') {
    item.parts.set(key, (item.parts.get(key) ?? '') + (textOf(event['delta']) ?? ''))
    return null
  }
  const last = textOf(event['text']) ?? textOf(event['refusal']) ?? textOf(event['arguments'])
  return last === undefined || last === (item.parts.get(key) ?? '') ? null : `${type} differs from what was said`
}
