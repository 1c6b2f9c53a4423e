// The output of a response as it grows: items one after another, in each the parts one after another, all opened and closed
// once. Every step is an event for the stream; the items themselves are what the response holds in the end.
import { newId } from '../../core/ids.ts'
import type { Json } from '../json.ts'

type Emit = (type: string, fields: string) => void

interface Message {
  readonly type: 'message'
  readonly id: string
  readonly content: { readonly kind: 'text' | 'refusal'; text: string }[]
}
interface Reasoning {
  readonly type: 'reasoning'
  readonly id: string
  text: string
  opened: boolean
}
interface Call {
  readonly type: 'function_call'
  readonly id: string
  readonly callId: string
  readonly name: string
  json: string
}
type OpenItem = Message | Reasoning | Call

export class Output {
  /** The items that are closed. */
  readonly items: Json[] = []
  readonly #emit: Emit
  readonly #ids = new Set<string>()
  #open: OpenItem | undefined
  /** The part's own id, by which its continuation is known. */
  #partId: string | undefined
  refused = false

  /** `emit`: takes each event's type and its fields, as JSON without the braces. */
  constructor(emit: Emit) {
    this.#emit = emit
  }

  say(kind: 'text' | 'refusal', text: string, id: string | undefined): void {
    if (text === '') return
    if (kind === 'refusal') this.refused = true
    const item = this.#message(id)
    let part = item.content.at(-1)
    if (part?.kind !== kind) {
      this.#endPart(item)
      item.content.push((part = { kind, text: '' }))
      this.#emit(
        'response.content_part.added',
        `${this.#at(item)},"part":${JSON.stringify(partOf({ kind, text: '' }))}`,
      )
    }
    part.text += text
    const delta = `${this.#at(item)},"delta":${JSON.stringify(text)}`
    if (kind === 'text') this.#emit('response.output_text.delta', `${delta},"logprobs":[]`)
    else this.#emit('response.refusal.delta', delta)
  }

  think(text: string, id: string | undefined): void {
    if (text === '') return
    const item = this.#reasoning(id)
    if (!item.opened) {
      item.opened = true
      this.#emit('response.reasoning_summary_part.added', `${this.#at(item)},"part":${JSON.stringify(summaryOf(''))}`)
    }
    item.text += text
    this.#emit('response.reasoning_summary_text.delta', `${this.#at(item)},"delta":${JSON.stringify(text)}`)
  }

  /** Ends the reasoning that is open, or is one by itself. */
  prove(proof: string | null, id: string | undefined): void {
    if (this.#open?.type !== 'reasoning') {
      if (proof === null) return
      this.#reasoning(id)
    }
    this.close('completed', proof)
  }

  call(callId: string, name: string, id: string | undefined): void {
    this.close()
    this.#begin({ type: 'function_call', id: this.#newId('fc', id), callId, name, json: '' })
  }

  argue(json: string): void {
    const item = this.#open
    if (item?.type !== 'function_call' || json === '') return
    item.json += json
    this.#emit('response.function_call_arguments.delta', `${this.#at(item)},"delta":${JSON.stringify(json)}`)
  }

  /** Closes what is open. `proof` is of a reasoning. */
  close(status: 'completed' | 'incomplete' = 'completed', proof: string | null = null): void {
    const item = this.#open
    if (!item) return
    switch (item.type) {
      case 'message':
        this.#endPart(item)
        break
      case 'reasoning':
        if (!item.opened) break
        this.#emit('response.reasoning_summary_text.done', `${this.#at(item)},"text":${JSON.stringify(item.text)}`)
        this.#emit(
          'response.reasoning_summary_part.done',
          `${this.#at(item)},"part":${JSON.stringify(summaryOf(item.text))}`,
        )
        break
      case 'function_call':
        // Arguments have to be JSON also where there are none.
        if (item.json === '') this.argue('{}')
        this.#emit(
          'response.function_call_arguments.done',
          `${this.#at(item)},"name":${JSON.stringify(item.name)},"arguments":${JSON.stringify(item.json)}`,
        )
    }
    const whole = itemOf(item, status, proof)
    this.#emit('response.output_item.done', `"output_index":${this.items.length},"item":${JSON.stringify(whole)}`)
    this.items.push(whole)
    this.#open = undefined
  }

  #message(id: string | undefined): Message {
    const open = this.#open
    if (open?.type === 'message' && (id === undefined || this.#partId === undefined || id === this.#partId)) {
      this.#partId ??= id
      return open
    }
    this.close()
    this.#partId = id
    return this.#begin({ type: 'message', id: this.#newId('msg', id), content: [] })
  }

  #reasoning(id: string | undefined): Reasoning {
    const open = this.#open
    if (open?.type === 'reasoning' && (id === undefined || this.#partId === undefined || id === this.#partId)) {
      this.#partId ??= id
      return open
    }
    this.close()
    this.#partId = id
    return this.#begin({ type: 'reasoning', id: this.#newId('rs', id), text: '', opened: false })
  }

  #begin<T extends OpenItem>(item: T): T {
    this.#open = item
    const shown = JSON.stringify(itemOf(item, 'in_progress', null))
    this.#emit('response.output_item.added', `"output_index":${this.items.length},"item":${shown}`)
    return item
  }

  #endPart(item: Message): void {
    const part = item.content.at(-1)
    if (!part) return
    const text = JSON.stringify(part.text)
    if (part.kind === 'text') this.#emit('response.output_text.done', `${this.#at(item)},"text":${text},"logprobs":[]`)
    else this.#emit('response.refusal.done', `${this.#at(item)},"refusal":${text}`)
    this.#emit('response.content_part.done', `${this.#at(item)},"part":${JSON.stringify(partOf(part))}`)
  }

  /** Where an event belongs. */
  #at(item: OpenItem): string {
    const at = `"item_id":${JSON.stringify(item.id)},"output_index":${this.items.length}`
    if (item.type === 'message') return `${at},"content_index":${item.content.length - 1}`
    return item.type === 'reasoning' ? `${at},"summary_index":0` : at
  }

  /** The provider's own, if no item has it yet. A bare number is a position: the next answer's item has it too. */
  #newId(prefix: string, id: string | undefined): string {
    const own = id !== undefined && !/^\d*$/.test(id) && !this.#ids.has(id) ? id : newId(prefix)
    this.#ids.add(own)
    return own
  }
}

type Status = 'in_progress' | 'completed' | 'incomplete'

function itemOf(item: OpenItem, status: Status, proof: string | null): Json {
  switch (item.type) {
    case 'message':
      return { id: item.id, type: 'message', status, role: 'assistant', content: item.content.map(partOf) }
    case 'reasoning':
      return {
        id: item.id,
        type: 'reasoning',
        summary: item.text === '' ? [] : [summaryOf(item.text)],
        ...(proof === null ? {} : { encrypted_content: proof }),
      }
    case 'function_call':
      return { id: item.id, type: 'function_call', status, call_id: item.callId, name: item.name, arguments: item.json }
  }
}

const partOf = ({ kind, text }: { readonly kind: 'text' | 'refusal'; readonly text: string }): Json =>
  kind === 'text' ? { type: 'output_text', annotations: [], logprobs: [], text } : { type: 'refusal', refusal: text }

const summaryOf = (text: string): Json => ({ type: 'summary_text', text })
