// Reads a provider's chat answer as it passes: is it content, what was used, is all said; and, for an answer that will be
// translated, what it says in no dialect. This runs for every token of every stream.
import { Buffer } from 'node:buffer'
import { formatSse, type SseFrame } from '../../core/sse.ts'
import type { AnswerReader, ReaderOptions } from '../../llm/dialect.ts'
import { type Frame, NO_BYTES, NO_EVENTS } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { charactersWritten, isObject, type Json, objectsIn } from '../json.ts'
import { repairedValues } from '../repair.ts'
import { AlikeChunks } from './alike.ts'
import { ChatDecoder } from './decoder.ts'
import { failureFromError } from './failures.ts'
import { finishReasonIn } from './finish.ts'
import { readUsage } from './usage.ts'

const BLANK_LINE = Buffer.from('\n\n')

export class ChatReader implements AnswerReader {
  readonly #wanted: number
  readonly #finished = new Set<unknown>()
  readonly #decoder: ChatDecoder | undefined
  readonly #alike = new AlikeChunks()
  /** Named in the chunk that was learnt. */
  #model: string | null = null

  /** `choices`: how many alternative answers were asked for; the answer is complete when each has a finish reason. */
  constructor({ decode, choices }: ReaderOptions) {
    this.#wanted = choices
    this.#decoder = decode ? new ChatDecoder() : undefined
  }

  see(event: SseFrame): Frame {
    const { data, bytes } = event
    if (data === null) return this.#nothing('lifecycle', bytes)
    const text = this.#decoder || event.event !== null ? undefined : this.#alike.textOf(data)
    if (text !== undefined) return this.#said(text, bytes)
    if (data.trim() === '[DONE]') return this.#nothing('end', bytes)
    let chunk: unknown
    try {
      chunk = JSON.parse(data)
    } catch (error) {
      return this.#repaired(data, error)
    }
    const frame = this.#seeValue(chunk, bytes, event.event)
    if (saysTextAlone(chunk, frame)) {
      this.#alike.learn(data, frame.text)
      this.#model = frame.model
    }
    return frame
  }

  seeRest(event: SseFrame): Frame | undefined {
    if (event.data === null) return undefined
    try {
      return this.see({ ...event, bytes: Buffer.concat([event.bytes, BLANK_LINE]) })
    } catch (error) {
      // An event cut in the middle says only that the stream was cut.
      if (error instanceof ProviderFailure && error.kind === 'upstream_malformed') return undefined
      throw error
    }
  }

  whole(body: Buffer): Frame {
    let answer: unknown
    try {
      answer = JSON.parse(body.toString('utf8'))
    } catch (error) {
      throw new ProviderFailure('upstream_malformed', 'the answer is not JSON', { cause: error })
    }
    if (!isObject(answer)) throw new ProviderFailure('upstream_malformed', 'the answer is not an object')
    if (isFault(answer)) throw failureFromError(answer)
    const choices = objectsIn(answer['choices'])
    if (choices.length === 0) throw new ProviderFailure('upstream_malformed', 'the answer has no choices')
    choices.forEach(finishReasonIn)
    const messages = choices.map((choice) => (isObject(choice['message']) ? choice['message'] : {}))
    const content = messages[0]?.['content']
    const usage = readUsage(answer)
    return {
      kind: 'content',
      bytes: this.#decoder ? NO_BYTES : body,
      events: this.#decoder?.whole(answer, usage) ?? NO_EVENTS,
      text: typeof content === 'string' ? content : '',
      written: messages.reduce((sum, message) => sum + charactersWritten(message), 0),
      usage,
      model: modelOf(answer),
      complete: true,
    }
  }

  #seeValue(chunk: unknown, bytes: Uint8Array, event: string | null): Frame {
    if (!isObject(chunk)) throw new ProviderFailure('upstream_malformed', 'an event of the stream is not an object')
    if (isFault(chunk) || event === 'error') throw failureFromError(chunk, this.#decoder ? undefined : bytes)
    const choices = objectsIn(chunk['choices'])
    let written = 0
    let text = ''
    let ends = false
    for (const choice of choices) {
      const index = choice['index'] ?? 0
      const delta = isObject(choice['delta']) ? choice['delta'] : {}
      written += charactersWritten(delta)
      if (index === 0 && typeof delta['content'] === 'string') text += delta['content']
      if (finishReasonIn(choice) !== undefined) {
        ends = true
        this.#finished.add(index)
      }
    }
    const usage = readUsage(chunk)
    return {
      kind: written > 0 || ends ? 'content' : usage && choices.length === 0 ? 'usage' : 'lifecycle',
      bytes: this.#decoder ? NO_BYTES : bytes,
      events: this.#decoder?.chunk(chunk, usage) ?? NO_EVENTS,
      text,
      written,
      usage,
      model: modelOf(chunk),
      complete: this.#finished.size >= this.#wanted,
    }
  }

  /** Several values in one event become one frame of several events, written anew. */
  #repaired(data: string, cause: unknown): Frame {
    const values = repairedValues(data)
    if (!values) throw new ProviderFailure('upstream_malformed', 'an event of the stream is not JSON', { cause })
    const frames = values.map((value) => {
      const bytes = Buffer.from(formatSse(value === '[DONE]' ? value : JSON.stringify(value)))
      return value === '[DONE]' ? this.#nothing('end', bytes) : this.#seeValue(value, bytes, null)
    })
    // An end mark behind the last chunk is left away: the answer is complete, and gets ours.
    const said = frames.filter(({ kind }) => kind !== 'end')
    const first = said[0]
    if (!first) return frames[0] ?? this.#nothing('lifecycle', NO_BYTES)
    return {
      ...first,
      kind: said.find(({ kind }) => kind === 'content')?.kind ?? first.kind,
      bytes: Buffer.concat(said.map(({ bytes }) => bytes)),
      events: said.flatMap(({ events }) => events),
      text: said.map(({ text }) => text).join(''),
      written: said.reduce((sum, frame) => sum + frame.written, 0),
      usage: said.findLast(({ usage }) => usage !== null)?.usage ?? null,
      complete: said.some(({ complete }) => complete),
    }
  }

  #said(text: string, bytes: Uint8Array): Frame {
    return {
      kind: 'content',
      bytes,
      events: NO_EVENTS,
      text,
      written: text.length,
      usage: null,
      model: this.#model,
      complete: false,
    }
  }

  #nothing(kind: 'lifecycle' | 'end', bytes: Uint8Array): Frame {
    return {
      kind,
      bytes: this.#decoder ? NO_BYTES : bytes,
      events: NO_EVENTS,
      text: '',
      written: 0,
      usage: null,
      model: null,
      complete: false,
    }
  }
}

/** Of a chunk whose frame is known: it has one choice, the first, which brings characters of its content and no end. */
const saysTextAlone = (chunk: unknown, { kind, text, written, usage, complete }: Frame): boolean => {
  if (kind !== 'content' || complete || usage !== null || written === 0 || written !== text.length) return false
  const choices = isObject(chunk) ? chunk['choices'] : undefined
  return Array.isArray(choices) && choices.length === 1
}

const isFault = (chunk: Json): boolean => chunk['error'] !== undefined && chunk['error'] !== null

const modelOf = (chunk: Json): string | null => (typeof chunk['model'] === 'string' ? chunk['model'] : null)
