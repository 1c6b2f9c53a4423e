// A Responses stream or answer as events in no dialect. Items are told apart by their place in the output, for there are
// servers whose ids change from event to event; one that begins before another has ended waits for it. What deltas left
// out, the item's last event (or the response at the end) makes up for. Tools that the provider runs itself are none of
// the caller's calls, and are left away.
import type { Usage } from '../../llm/chat.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { isObject, type Json, objectsIn, textOf } from '../json.ts'
import { Item } from './item.ts'

export class ResponsesDecoder {
  readonly #items = new Map<number, Item>()
  /** Places of items, in order; those before the first have been told to their end. */
  readonly #places: number[] = []
  #first = 0
  #started = false
  #calls = false
  #refused = false

  /** Any event but the last. */
  event(type: string, event: Json): readonly AnswerEvent[] {
    const out: AnswerEvent[] = []
    if (isObject(event['response'])) this.#start(event['response'], out)
    const index = event['output_index']
    if (typeof index !== 'number') return out
    this.#start({}, out)
    const item = this.#item(index)
    const given = event['item']
    switch (type) {
      case 'response.output_item.added':
        if (isObject(given)) item.begin(given)
        break
      case 'response.output_item.done':
        if (isObject(given)) item.end(given)
        break
      case 'response.output_text.delta':
        item.say('text', event)
        break
      case 'response.refusal.delta':
        item.say('refusal', event)
        break
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        item.say('reasoning', event)
        break
      case 'response.function_call_arguments.delta':
        item.say('arguments', event)
    }
    this.#tell(out)
    return out
  }

  /** The response as it is at last. */
  whole(response: Json, usage: Usage | null): readonly AnswerEvent[] {
    const out: AnswerEvent[] = []
    this.#start(response, out)
    for (const [index, given] of objectsIn(response['output']).entries()) this.#item(index).end(given)
    for (const item of this.#items.values()) item.ended = true
    this.#tell(out)
    out.push({ kind: 'finish', choice: 0, reason: this.#reason(response) })
    if (usage) out.push({ kind: 'usage', usage })
    return out
  }

  #start(response: Json, out: AnswerEvent[]): void {
    if (this.#started) return
    this.#started = true
    const created = response['created_at']
    out.push({
      kind: 'start',
      id: textOf(response['id']) ?? '',
      model: textOf(response['model']) ?? '',
      createdS: Math.floor(typeof created === 'number' ? created : Date.now() / 1000),
    })
  }

  #item(index: number): Item {
    let item = this.#items.get(index)
    if (!item) {
      this.#items.set(index, (item = new Item()))
      // Nearly always it is the last one.
      let at = this.#places.length
      while (at > this.#first && (this.#places[at - 1] ?? 0) > index) at--
      this.#places.splice(at, 0, index)
    }
    return item
  }

  #tell(out: AnswerEvent[]): void {
    for (;;) {
      const item = this.#items.get(this.#places[this.#first] ?? -1)
      if (!item) return
      for (const event of item.take()) {
        if (event.kind === 'tool-call') this.#calls = true
        if (event.kind === 'refusal') this.#refused = true
        out.push(event)
      }
      if (!item.ended) return
      this.#first++
    }
  }

  #reason(response: Json): FinishReason {
    const details = response['incomplete_details']
    if (response['status'] === 'incomplete') {
      return isObject(details) && details['reason'] === 'content_filter' ? 'content-filter' : 'length'
    }
    if (this.#calls) return 'tool-calls'
    return this.#refused ? 'refusal' : 'stop'
  }
}
