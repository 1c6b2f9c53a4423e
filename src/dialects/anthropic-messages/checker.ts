// What the grammar of a Messages stream forbids: one message_start before anything else; blocks numbered from 0, each
// opened and stopped once; deltas only to the open one and of its kind; then one message_delta with the stop reason, and
// one message_stop, or an error. Pings are free.
import type { StreamChecker } from '../../llm/dialect.ts'
import { isObject, type Json, textOf } from '../json.ts'

/** Which deltas a block takes. Blocks that are not named here come whole. */
const DELTAS: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  tool_use: ['input_json_delta'],
  server_tool_use: ['input_json_delta'],
  mcp_tool_use: ['input_json_delta'],
  compaction: ['compaction_delta'],
}

export class MessagesChecker implements StreamChecker {
  #state: 'before' | 'open' | 'stopping' | 'over' = 'before'
  #block: { readonly index: number; readonly type: string } | null = null
  #next = 0

  see(event: string | null, data: unknown): string | null {
    if (!isObject(data)) return 'an event whose data is no object'
    const type = textOf(data['type'])
    if (type === undefined) return 'an event without a type'
    if (event !== type) return `the event ${type} is named ${event ?? 'nothing'}`
    if (type === 'ping') return this.#state === 'over' ? 'a ping after the end' : null
    if (this.#state === 'over') return `${type} after the end`
    if (type === 'error') return this.#error(data)
    if (type === 'message_start') return this.#start(data)
    if (this.#state === 'before') return `${type} before message_start`
    switch (type) {
      case 'content_block_start':
        return this.#open(data)
      case 'content_block_delta':
        return this.#delta(data)
      case 'content_block_stop':
        return this.#stop(data)
      case 'message_delta':
        return this.#messageDelta(data)
      case 'message_stop':
        return this.#messageStop()
      default:
        // The API says that there may be events to come, which a client ignores.
        return null
    }
  }

  end(): string | null {
    if (this.#state === 'over') return null
    return this.#state === 'before' ? 'nothing was said' : 'neither message_stop nor an error came'
  }

  #error(data: Json): string | null {
    this.#state = 'over'
    const error = data['error']
    return isObject(error) && textOf(error['type']) !== undefined && textOf(error['message']) !== undefined
      ? null
      : 'an error without a type or message'
  }

  #start(data: Json): string | null {
    if (this.#state !== 'before') return 'a second message_start'
    this.#state = 'open'
    const { message } = data
    if (!isObject(message)) return 'message_start without a message'
    if (textOf(message['id']) === undefined || textOf(message['model']) === undefined)
      return 'a message without id or model'
    if (message['role'] !== 'assistant' || message['type'] !== 'message') return 'a message of another role or type'
    if (!Array.isArray(message['content'])) return 'a message without content'
    // Blocks that it goes on from are there whole.
    this.#next = message['content'].length
    return isObject(message['usage']) ? null : 'a message without usage'
  }

  #open(data: Json): string | null {
    if (this.#state === 'stopping') return 'a block after message_delta'
    if (this.#block) return `block ${this.#next} begins while block ${this.#block.index} is open`
    if (data['index'] !== this.#next) return `block ${String(data['index'])} where ${this.#next} is next`
    const block = data['content_block']
    const type = isObject(block) ? textOf(block['type']) : undefined
    if (type === undefined) return 'a block without a type'
    this.#block = { index: this.#next++, type }
    return null
  }

  #delta(data: Json): string | null {
    const { index, delta } = data
    if (!this.#block || index !== this.#block.index) return `a delta to block ${String(index)}, which is not open`
    const type = isObject(delta) ? textOf(delta['type']) : undefined
    if (type === undefined) return 'a delta without a type'
    const known = Object.values(DELTAS).flat().includes(type)
    return known && !(DELTAS[this.#block.type] ?? []).includes(type)
      ? `${type} to a block of ${this.#block.type}`
      : null
  }

  #stop(data: Json): string | null {
    const { index } = data
    if (!this.#block || index !== this.#block.index) return `block ${String(index)} stops and is not open`
    this.#block = null
    return null
  }

  /** It may come more than once, but says why the answer ended only once. */
  #messageDelta(data: Json): string | null {
    if (this.#block) return `message_delta while block ${this.#block.index} is open`
    const { delta, usage } = data
    if (!isObject(delta)) return 'message_delta without a delta'
    if (textOf(delta['stop_reason']) !== undefined) {
      if (this.#state === 'stopping') return 'a second stop_reason'
      this.#state = 'stopping'
    }
    return isObject(usage) ? null : 'message_delta without usage'
  }

  #messageStop(): string | null {
    const unsaid = this.#state !== 'stopping'
    this.#state = 'over'
    if (this.#block) return `message_stop while block ${this.#block.index} is open`
    return unsaid ? 'message_stop without a stop_reason' : null
  }
}
