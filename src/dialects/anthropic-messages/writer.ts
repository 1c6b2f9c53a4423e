// A Messages answer written from events in no dialect: one message_start, each block opened and stopped once and nothing
// written to any but the open one, one message_delta that says why it ended and what it used, one message_stop.
import { Buffer } from 'node:buffer'
import { newId } from '../../core/ids.ts'
import { NO_USAGE, type Usage } from '../../llm/chat.ts'
import type { AnswerWriter, Ask } from '../../llm/dialect.ts'
import type { AnswerEvent, FinishReason } from '../../llm/events.ts'
import { NO_BYTES } from '../../llm/frames.ts'
import { parseExact } from '../exact-json.ts'
import { isMarked, proofOf } from '../proof.ts'
import { writeUsage } from './usage.ts'

/** A block under construction; for a stream only its kind matters. */
type Block =
  | { readonly type: 'text'; text: string }
  | { readonly type: 'thinking'; thinking: string; signature: string }
  | { readonly type: 'redacted_thinking'; readonly data: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; json: string }

export class MessagesWriter implements AnswerWriter {
  readonly #stream: boolean
  readonly #asked: string
  readonly #blocks: Block[] = []
  #out = ''
  #id = ''
  #model = ''
  #started = false
  #open: Block | null = null
  #index = -1
  #partId: string | undefined
  #called = false
  #refusal = ''
  #finish: { reason: FinishReason; stopSequence?: string } | null = null
  #usage: Usage = NO_USAGE

  constructor({ stream, model }: Pick<Ask, 'stream' | 'model'>) {
    this.#stream = stream
    this.#asked = model
  }

  write(events: readonly AnswerEvent[]): Uint8Array {
    for (const event of events) this.#take(event)
    return this.#flush()
  }

  end(): Uint8Array {
    this.#start()
    this.#close()
    const usage = { ...writeUsage(this.#usage), input_tokens: this.#usage.inputTokens }
    this.#event('message_delta', { delta: this.#ending(), usage })
    this.#event('message_stop', {})
    return this.#flush()
  }

  whole(): Buffer {
    this.#start()
    this.#close()
    return Buffer.from(
      JSON.stringify({
        ...this.#message(),
        content: this.#blocks.map(asContent),
        ...this.#ending(),
        usage: { ...NOT_USED, ...writeUsage(this.#usage) },
      }),
    )
  }

  #take(event: AnswerEvent): void {
    // Anthropic has one answer, whatever was asked for elsewhere.
    if ('choice' in event && event.choice !== 0) return
    switch (event.kind) {
      case 'start':
        this.#id = event.id
        this.#model = event.model
        this.#start()
        break
      case 'text':
        this.#text(event.text, event.id)
        break
      case 'refusal':
        // Anthropic tells the reason beside the answer and not in it.
        this.#refusal += event.text
        break
      case 'reasoning':
        this.#reasoning(event.text, event.id)
        break
      case 'reasoning-proof':
        this.#proof(event.signature, event.encrypted)
        break
      case 'tool-call':
        this.#called = true
        this.#begin({ type: 'tool_use', id: event.id || newId('toolu'), name: event.name, json: '' })
        break
      case 'tool-arguments':
        if (this.#open?.type !== 'tool_use' || event.json === '') break
        this.#open.json += event.json
        this.#delta('input_json_delta', 'partial_json', event.json)
        break
      case 'finish':
        this.#close()
        this.#finish ??= event
        break
      case 'usage':
        this.#usage = event.usage
        break
      case 'embeddings':
        break
    }
  }

  #text(text: string, id: string | undefined): void {
    const continues = this.#open?.type === 'text' && (this.#partId === id || id === undefined)
    // An empty part that has an id keeps the place of a block that is not ours to write.
    if (text === '' && (continues || id === undefined)) return
    if (!continues) this.#begin({ type: 'text', text: '' }, id)
    if (text === '') return
    if (this.#open?.type === 'text') this.#open.text += text
    this.#delta('text_delta', 'text', text)
  }

  #reasoning(text: string, id: string | undefined): void {
    if (text === '') return
    const continues = this.#open?.type === 'thinking' && (this.#partId === id || id === undefined)
    if (!continues) this.#begin({ type: 'thinking', thinking: '', signature: '' }, id)
    if (this.#open?.type === 'thinking') this.#open.thinking += text
    this.#delta('thinking_delta', 'thinking', text)
  }

  /** Another provider's proof keeps its mark, by which it is known when the caller hands it back. */
  #proof(signature: string | undefined, encrypted: string | undefined): void {
    const genuine = (proof: string | undefined) =>
      proofOf('anthropic', proof) ?? (proof !== undefined && isMarked(proof) ? proof : undefined)
    const data = genuine(encrypted)
    const signed = genuine(signature)
    if (signed !== undefined) {
      if (this.#open?.type !== 'thinking') this.#begin({ type: 'thinking', thinking: '', signature: '' })
      if (this.#open?.type === 'thinking') this.#open.signature = signed
      this.#delta('signature_delta', 'signature', signed)
    }
    if (data !== undefined) this.#begin({ type: 'redacted_thinking', data })
    this.#close()
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.#event('message_start', {
      message: {
        ...this.#message(),
        content: [],
        ...NOT_ENDED,
        usage: { ...NOT_USED, ...writeUsage(this.#usage) },
      },
    })
  }

  #message(): object {
    if (this.#id === '') this.#id = newId('msg')
    return { id: this.#id, type: 'message', role: 'assistant', model: this.#model || this.#asked }
  }

  #begin(block: Block, partId?: string): void {
    this.#start()
    this.#close()
    this.#open = block
    this.#partId = partId
    this.#index++
    if (this.#stream) this.#event('content_block_start', { index: this.#index, content_block: asContent(block) })
    else this.#blocks.push(block)
  }

  #close(): void {
    if (!this.#open) return
    this.#open = null
    this.#partId = undefined
    if (this.#stream) this.#event('content_block_stop', { index: this.#index })
  }

  /** Written by hand: it is nearly all that a stream consists of. */
  #delta(type: string, member: string, said: string): void {
    if (!this.#stream) return
    this.#out +=
      'event: content_block_delta\n' +
      `data: {"type":"content_block_delta","index":${this.#index},"delta":{"type":"${type}","${member}":${JSON.stringify(said)}}}\n\n`
  }

  #ending(): object {
    const { reason = 'stop', stopSequence } = this.#finish ?? {}
    const refused = this.#refusal !== '' || reason === 'refusal' || reason === 'content-filter'
    const explanation = this.#refusal === '' ? null : this.#refusal
    return {
      stop_reason: refused ? 'refusal' : stopReason(reason, stopSequence, this.#called),
      stop_sequence: (reason === 'stop' ? stopSequence : undefined) ?? null,
      stop_details: refused ? { type: 'refusal', category: null, explanation } : null,
      container: null,
    }
  }

  #event(type: string, body: object): void {
    if (this.#stream) this.#out += `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`
  }

  #flush(): Uint8Array {
    if (this.#out === '') return NO_BYTES
    const bytes = Buffer.from(this.#out)
    this.#out = ''
    return bytes
  }
}

const NOT_ENDED = { stop_reason: null, stop_sequence: null, stop_details: null, container: null, diagnostics: null }
const NOT_USED = { server_tool_use: null, service_tier: null }

/** Many providers call it a plain stop where the model called a tool. */
function stopReason(reason: FinishReason, stopSequence: string | undefined, called: boolean): string {
  switch (reason) {
    case 'stop':
      return called ? 'tool_use' : stopSequence === undefined ? 'end_turn' : 'stop_sequence'
    case 'length':
      return 'max_tokens'
    case 'tool-calls':
      return 'tool_use'
    case 'pause':
      return 'pause_turn'
    case 'refusal':
    case 'content-filter':
      return 'refusal'
  }
}

function asContent(block: Block): object {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, citations: null }
    case 'tool_use':
      return {
        type: 'tool_use',
        id: block.id,
        name: block.name,
        input: inputOf(block.json),
        caller: { type: 'direct' },
      }
    case 'thinking':
    case 'redacted_thinking':
      return block
  }
}

/** What is no JSON is handed over as it is: nothing the model wrote is lost. */
function inputOf(json: string): unknown {
  if (json === '') return {}
  try {
    return parseExact(json)
  } catch {
    return json
  }
}
