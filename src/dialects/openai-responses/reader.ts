// Reads a provider's Responses answer as it passes. The last event has the whole response in it, and with it the usage:
// it is the end mark.
import { Buffer } from 'node:buffer'
import { formatSse, type SseFrame } from '../../core/sse.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerReader, ReaderOptions } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { type Frame, NO_BYTES, NO_EVENTS } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { charactersWritten, isObject, type Json, objectsIn, textOf } from '../json.ts'
import { failureFromError } from '../openai-chat/failures.ts'
import { repairedValues } from '../repair.ts'
import { ResponsesDecoder } from './decoder.ts'
import { readUsage } from './usage.ts'

const BLANK_LINE = Buffer.from('\n\n')

export class ResponsesReader implements AnswerReader {
  readonly #decoder: ResponsesDecoder | undefined
  #written = 0

  constructor({ decode }: Pick<ReaderOptions, 'decode'>) {
    this.#decoder = decode ? new ResponsesDecoder() : undefined
  }

  see({ data, bytes }: SseFrame): Frame {
    // Some servers add chat's end mark; here it says nothing.
    if (data === null || data.trim() === '[DONE]') return this.#frame('lifecycle', bytes)
    let value: unknown
    try {
      value = JSON.parse(data)
    } catch (error) {
      return this.#repaired(data, error)
    }
    return this.#seeValue(value, bytes)
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
    let response: unknown
    try {
      response = JSON.parse(body.toString('utf8'))
    } catch (error) {
      throw new ProviderFailure('upstream_malformed', 'the answer is not JSON', { cause: error })
    }
    if (!isObject(response)) throw new ProviderFailure('upstream_malformed', 'the answer is not an object')
    if (isObject(response['error'])) throw failureFromError(response)
    if (!Array.isArray(response['output'])) {
      throw new ProviderFailure('upstream_malformed', 'the answer has no output')
    }
    const status = response['status'] ?? 'completed'
    if (status !== 'completed' && status !== 'incomplete') {
      throw new ProviderFailure('upstream_malformed', `the response is ${JSON.stringify(status)}`)
    }
    const usage = readUsage(response)
    return {
      ...this.#frame('content', body, this.#decoder?.whole(response, usage)),
      text: textOfOutput(response),
      written: writtenIn(response),
      usage,
      model: textOf(response['model']) ?? null,
      complete: true,
    }
  }

  #seeValue(event: unknown, bytes: Uint8Array): Frame {
    if (!isObject(event)) throw new ProviderFailure('upstream_malformed', 'an event of the stream is not an object')
    const type = textOf(event['type']) ?? ''
    switch (type) {
      case 'response.completed':
      case 'response.incomplete':
        return this.#last(isObject(event['response']) ? event['response'] : {}, bytes)
      case 'response.failed':
      case 'error':
      case '':
        throw failureFromError(faultIn(event), this.#decoder ? undefined : bytes)
    }
    const written = writtenBy(type, event)
    this.#written += written
    const { response } = event
    return {
      ...this.#frame(
        written > 0 ? 'content' : type.endsWith('.done') ? 'closing' : 'lifecycle',
        bytes,
        this.#decoder?.event(type, event),
      ),
      text: type === 'response.output_text.delta' ? (textOf(event['delta']) ?? '') : '',
      written,
      model: isObject(response) ? (textOf(response['model']) ?? null) : null,
    }
  }

  /** Several values in one event become one frame of several events, written anew. */
  #repaired(data: string, cause: unknown): Frame {
    const values = repairedValues(data)?.filter(isObject)
    if (!values) throw new ProviderFailure('upstream_malformed', 'an event of the stream is not JSON', { cause })
    const frames = values.map((value) =>
      this.#seeValue(value, Buffer.from(formatSse(JSON.stringify(value), textOf(value['type'])))),
    )
    const last = frames.at(-1)
    if (!last) return this.#frame('lifecycle', NO_BYTES)
    return {
      ...last,
      kind: last.kind === 'end' ? 'end' : (frames.find(({ kind }) => kind === 'content')?.kind ?? last.kind),
      bytes: Buffer.concat(frames.map(({ bytes }) => bytes)),
      events: frames.flatMap(({ events }) => events),
      text: frames.map(({ text }) => text).join(''),
      written: frames.reduce((sum, frame) => sum + frame.written, 0),
      model: frames.findLast(({ model }) => model !== null)?.model ?? null,
    }
  }

  #last(response: Json, bytes: Uint8Array): Frame {
    const usage: Usage | null = readUsage(response)
    return {
      ...this.#frame('end', bytes, this.#decoder?.whole(response, usage)),
      // A server that sends no deltas has said everything here.
      text: this.#written === 0 ? textOfOutput(response) : '',
      written: this.#written === 0 ? writtenIn(response) : 0,
      usage,
      model: textOf(response['model']) ?? null,
      complete: true,
    }
  }

  #frame(kind: Frame['kind'], bytes: Uint8Array, events: readonly AnswerEvent[] = NO_EVENTS): Frame {
    return {
      kind,
      bytes: this.#decoder ? NO_BYTES : bytes,
      events,
      text: '',
      written: 0,
      usage: null,
      model: null,
      complete: false,
    }
  }
}

/** Characters that the model wrote in this event. A provider that runs a tool of its own has begun to answer too. */
function writtenBy(type: string, event: Json): number {
  if (type.endsWith('.delta')) return charactersWritten(event['delta'])
  if (type !== 'response.output_item.added') return 0
  const item = isObject(event['item']) ? event['item'] : {}
  if (item['type'] === 'message' || item['type'] === 'reasoning') return 0
  return Math.max(1, textOf(item['name'])?.length ?? 0)
}

/** Told as `error`, nested or flat, or within the response that failed. */
function faultIn(event: Json): Json {
  const { response } = event
  if (isObject(event['error'])) return event
  if (isObject(response) && isObject(response['error'])) return response
  return { error: { code: event['code'], message: event['message'] } }
}

function textOfOutput(response: Json): string {
  const messages = objectsIn(response['output']).filter((item) => item['type'] === 'message')
  return messages
    .flatMap((item) => objectsIn(item['content']))
    .map((part) => textOf(part['text']) ?? '')
    .join('')
}

const writtenIn = (response: Json): number =>
  objectsIn(response['output']).reduce(
    (sum, { content, summary, name, arguments: json }) => sum + charactersWritten([content, summary, name, json]),
    0,
  )
