// One choice of a chat answer as it grows. In a stream every event becomes chunks at once; else it is kept for the whole
// message.
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { chatFinish } from './finish.ts'

export type ChoiceEvent = Extract<AnswerEvent, { readonly choice: number }>

interface Call {
  readonly id: string
  readonly name: string
  arguments: string
  /** Some of its arguments were told. */
  told: boolean
}

export class ChatMessage {
  /** What each of its chunks begins with; null for a plain answer. */
  readonly #prefix: string | null
  #text = ''
  #reasoning = ''
  #refusal = ''
  readonly #calls: Call[] = []
  #finish: string | null = null
  #roleTold = false
  /** The latest call may still get arguments. */
  #callOpen = false

  constructor(prefix: string | null) {
    this.#prefix = prefix
  }

  /** Chunks, as whole events of a stream. */
  take(event: ChoiceEvent): string {
    if (this.#finish !== null) return ''
    switch (event.kind) {
      case 'text':
        if (this.#prefix === null) this.#text += event.text
        return this.#begin() + this.#chunk(`"content":${JSON.stringify(event.text)}`)
      case 'reasoning':
        if (this.#prefix === null) this.#reasoning += event.text
        return this.#begin() + this.#chunk(`"reasoning_content":${JSON.stringify(event.text)}`)
      case 'refusal':
        this.#refusal += event.text
        return this.#begin() + this.#chunk(`"refusal":${JSON.stringify(event.text)}`)
      case 'reasoning-proof':
        return ''
      case 'tool-call':
        return this.#begin() + this.#call(event.id, event.name)
      case 'tool-arguments':
        return this.#arguments(event.json)
      case 'finish':
        return this.finish(event.reason)
    }
  }

  /** Nothing if it has finished. */
  finish(reason: FinishReason): string {
    if (this.#finish !== null) return ''
    const before = this.#begin()
    this.#finish = chatFinish(reason, { calls: this.#calls.length > 0, refusal: this.#refusal !== '' })
    return this.#prefix === null ? '' : `${before}${this.#prefix}"delta":{},"finish_reason":"${this.#finish}"}]}\n\n`
  }

  whole(index: number): Readonly<Record<string, unknown>> {
    this.finish('stop')
    const calls = this.#calls.map(({ id, name, arguments: json }) => ({
      id,
      type: 'function',
      function: { name, arguments: json },
    }))
    const empty = calls.length > 0 || this.#refusal !== '' ? null : ''
    return {
      index,
      message: {
        role: 'assistant',
        content: this.#text === '' ? empty : this.#text,
        refusal: this.#refusal === '' ? null : this.#refusal,
        ...(this.#reasoning === '' ? {} : { reasoning_content: this.#reasoning }),
        ...(calls.length > 0 ? { tool_calls: calls } : {}),
      },
      logprobs: null,
      finish_reason: this.#finish,
    }
  }

  /** The role, once; and an end to the call before, for arguments have to be JSON even where there are none. */
  #begin(): string {
    let out = ''
    if (!this.#roleTold) {
      this.#roleTold = true
      out = this.#chunk('"role":"assistant","content":"","refusal":null')
    }
    if (!this.#callOpen) return out
    if (this.#calls.at(-1)?.told === false) out += this.#arguments('{}')
    this.#callOpen = false
    return out
  }

  #call(id: string, name: string): string {
    this.#calls.push({ id, name, arguments: '', told: false })
    this.#callOpen = true
    const call = { index: this.#calls.length - 1, id, type: 'function', function: { name, arguments: '' } }
    return this.#chunk(`"tool_calls":[${JSON.stringify(call)}]`)
  }

  #arguments(json: string): string {
    const call = this.#calls.at(-1)
    if (!call || !this.#callOpen || json === '') return ''
    call.told = true
    if (this.#prefix === null) call.arguments += json
    const index = this.#calls.length - 1
    return this.#chunk(`"tool_calls":[{"index":${index},"function":{"arguments":${JSON.stringify(json)}}}]`)
  }

  #chunk(delta: string): string {
    return this.#prefix === null ? '' : `${this.#prefix}"delta":{${delta}},"finish_reason":null}]}\n\n`
  }
}
