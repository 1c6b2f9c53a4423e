// Reads the answer of Converse and ConverseStream. The stream has no end mark: after the reason to stop comes only the
// usage, which some send before it.
import type { SseFrame } from '../../core/sse.ts'
import { parseExact } from '../../dialects/exact-json.ts'
import { charactersWritten, isObject, type Json, textOf } from '../../dialects/json.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerReader } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { type Frame, NO_BYTES } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { blocksIn, ConverseDecoder } from './decoder.ts'
import { EXCEPTION } from './event-stream.ts'
import { failureFromException } from './failures.ts'
import { readUsage } from './usage.ts'

export class ConverseReader implements AnswerReader {
  readonly #decoder: ConverseDecoder
  #complete = false
  /** Usage that came before all was said: told after it. */
  #early: Usage | null = null

  /** `model`: as asked, for the answer does not name it. */
  constructor(model: string, answerTool: string | null) {
    this.#decoder = new ConverseDecoder(model, answerTool)
  }

  see({ event, data }: SseFrame): Frame {
    if (event?.startsWith(EXCEPTION) === true) throw failureFromException(event.slice(EXCEPTION.length), data ?? '')
    const events: AnswerEvent[] = []
    const value = parsed(data ?? '')
    if (event !== 'metadata') this.#decoder.start(events)
    switch (event) {
      case 'contentBlockStart': {
        this.#decoder.open(value['start'], value['contentBlockIndex'], events)
        const written = charactersWritten(isObject(value['start']) ? named(value['start']) : undefined)
        return this.#frame(written > 0 ? 'content' : 'lifecycle', events, { written })
      }
      case 'contentBlockDelta': {
        const delta = isObject(value['delta']) ? value['delta'] : {}
        this.#decoder.delta(delta, value['contentBlockIndex'], events)
        const written = charactersWritten(delta['citation'] === undefined ? delta : undefined)
        return this.#frame(written > 0 ? 'content' : 'lifecycle', events, { written, text: textIn(events) })
      }
      case 'contentBlockStop':
        this.#decoder.close(events)
        return this.#frame('lifecycle', events)
      case 'messageStop':
        this.#decoder.finish(value, events)
        this.#complete = true
        if (this.#early) events.push({ kind: 'usage', usage: this.#early })
        return this.#frame('content', events)
      case 'metadata': {
        const usage = readUsage(value['usage'])
        if (!usage) return this.#frame('lifecycle', events)
        if (this.#complete) events.push({ kind: 'usage', usage })
        else this.#early = usage
        return this.#frame('usage', events, { usage })
      }
      default:
        return this.#frame('lifecycle', events)
    }
  }

  /** A message cut in the middle says only that the stream was cut. */
  seeRest(): undefined {
    return undefined
  }

  whole(body: Buffer): Frame {
    const answer = parsed(body.toString('utf8'))
    const blocks = blocksIn(answer)
    if (!blocks || textOf(answer['stopReason']) === undefined) {
      throw new ProviderFailure('upstream_malformed', 'the answer holds no message')
    }
    const events: AnswerEvent[] = []
    this.#decoder.start(events)
    for (const [i, block] of blocks.entries()) this.#decoder.block(block, i, events)
    this.#decoder.finish(answer, events)
    const usage = readUsage(answer['usage'])
    if (usage) events.push({ kind: 'usage', usage })
    this.#complete = true
    return this.#frame('content', events, { usage, written: charactersWritten(blocks), text: textIn(events) })
  }

  #frame(
    kind: Frame['kind'],
    events: readonly AnswerEvent[],
    seen: { readonly text?: string; readonly written?: number; readonly usage?: Usage | null } = {},
  ): Frame {
    return {
      kind,
      bytes: NO_BYTES,
      events,
      text: seen.text ?? '',
      written: seen.written ?? 0,
      usage: seen.usage ?? null,
      model: null,
      complete: this.#complete,
    }
  }
}

function parsed(json: string): Json {
  let value: unknown
  try {
    value = parseExact(json)
  } catch (error) {
    throw new ProviderFailure('upstream_malformed', 'it is not JSON', { cause: error })
  }
  if (!isObject(value)) throw new ProviderFailure('upstream_malformed', 'it is not an object')
  return value
}

/** Of a tool call that begins, what the model wrote is the name. */
const named = (start: Json): unknown => (isObject(start['toolUse']) ? start['toolUse']['name'] : undefined)

const textIn = (events: readonly AnswerEvent[]): string =>
  events.map((event) => (event.kind === 'text' ? event.text : '')).join('')
