// A Responses answer written from events in no dialect: created, in progress, the items of the output, and one last event
// with the whole response, or that response alone.
import { Buffer } from 'node:buffer'
import { newId } from '../../core/ids.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerWriter, Ask } from '../../llm/dialect.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { NO_BYTES } from '../../llm/frames.ts'
import type { Json } from '../json.ts'
import { echoOf, type End, envelope, type Head } from './envelope.ts'
import { Output } from './output.ts'
import { writeProof } from './reasoning-proof.ts'
import { writeUsage } from './usage.ts'

/**
 * A name that is not OpenAI's and short may come again: Ollama draws `chatcmpl-` and one of a thousand numbers, others take
 * the time. Whoever went on behind it would go on with somebody else's answer.
 */
const LASTING_ID = /^resp_|^.{24}/

export class ResponsesWriter implements AnswerWriter {
  readonly #stream: boolean
  readonly #echo: Json
  readonly #output: Output
  readonly #onResponse: ((response: Json) => void) | undefined
  #head: Head | undefined
  #sequence = 0
  #pending = ''
  #finish: FinishReason | undefined
  #usage: Usage | null = null

  /** `onResponse`: told the whole response at its end. */
  constructor(ask: Pick<Ask, 'stream' | 'body'>, onResponse?: (response: Json) => void) {
    this.#onResponse = onResponse
    this.#stream = ask.stream
    this.#echo = echoOf(ask)
    this.#output = new Output(this.#stream ? (type, fields) => this.#emit(type, fields) : () => undefined)
  }

  write(events: readonly AnswerEvent[]): Uint8Array {
    for (const event of events) this.#take(event)
    return this.#flush()
  }

  end(): Uint8Array {
    if (!this.#stream) return NO_BYTES
    const response = this.#response()
    const type = response['status'] === 'completed' ? 'response.completed' : 'response.incomplete'
    this.#emit(type, `"response":${JSON.stringify(response)}`)
    return this.#flush()
  }

  whole(): Buffer {
    return Buffer.from(JSON.stringify(this.#response()))
  }

  #take(event: AnswerEvent): void {
    if (event.kind === 'start') return this.#start(event.id, event.model, event.createdS)
    if (event.kind === 'usage') {
      this.#usage = event.usage
      return
    }
    // A response is one answer, and nothing follows its finish.
    if (event.kind === 'embeddings' || event.choice !== 0 || this.#finish !== undefined) return
    this.#start('', '', Date.now() / 1000)
    switch (event.kind) {
      case 'text':
        return this.#output.say('text', event.text, event.id)
      case 'refusal':
        return this.#output.say('refusal', event.text, undefined)
      case 'reasoning':
        return this.#output.think(event.text, event.id)
      case 'reasoning-proof':
        return this.#output.prove(writeProof(event), event.id)
      case 'tool-call':
        return this.#output.call(event.id, event.name, event.itemId)
      case 'tool-arguments':
        return this.#output.argue(event.json)
      case 'finish':
        this.#finish = event.reason
    }
  }

  #start(id: string, model: string, createdS: number): void {
    if (this.#head) return
    this.#head = { id: LASTING_ID.test(id) ? id : newId('resp'), model, createdS: Math.floor(createdS) }
    if (!this.#stream) return
    const begun = JSON.stringify(envelope(this.#head, this.#echo, [], null))
    this.#emit('response.created', `"response":${begun}`)
    this.#emit('response.in_progress', `"response":${begun}`)
  }

  /** The whole one. Closes what is open. */
  #response(): Json {
    this.#start('', '', Date.now() / 1000)
    const end = this.#end()
    this.#output.close(end.incomplete === null ? 'completed' : 'incomplete')
    const head = this.#head ?? { id: '', model: '', createdS: 0 }
    const response = envelope(head, this.#echo, this.#output.items, end, writeUsage(this.#usage))
    this.#onResponse?.(response)
    return response
  }

  /** A refusal without words is told as withheld; an answer that its provider paused is not whole. */
  #end(): End {
    switch (this.#finish) {
      case 'length':
      case 'pause':
        return { incomplete: 'max_output_tokens' }
      case 'content-filter':
        return { incomplete: 'content_filter' }
      case 'refusal':
        return { incomplete: this.#output.refused ? null : 'content_filter' }
      case 'stop':
      case 'tool-calls':
      case undefined:
        return { incomplete: null }
    }
  }

  #emit(type: string, fields: string): void {
    this.#pending += `event: ${type}\ndata: {"type":"${type}","sequence_number":${this.#sequence++},${fields}}\n\n`
  }

  #flush(): Uint8Array {
    if (this.#pending === '') return NO_BYTES
    const bytes = Buffer.from(this.#pending)
    this.#pending = ''
    return bytes
  }
}
