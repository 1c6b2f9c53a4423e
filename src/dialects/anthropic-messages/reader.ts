// Reads a provider's Messages answer as it passes: is it content, what was used, is all said; and, for an answer that
// will be translated, what it says in no dialect. This runs for every token of every stream.
import { Buffer } from 'node:buffer'
import { formatSse, type SseFrame } from '../../core/sse.ts'
import type { AnswerReader, ReaderOptions } from '../../llm/dialect.ts'
import { type Frame, NO_BYTES, NO_EVENTS } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { parseExact } from '../exact-json.ts'
import { charactersWritten, isObject, type Json, objectsIn, textOf } from '../json.ts'
import { repairedValues } from '../repair.ts'
import { MessagesChecker } from './checker.ts'
import { MessagesDecoder } from './decoder.ts'
import { failureFromError } from './failures.ts'
import { UsageTotals } from './usage.ts'

const BLANK_LINE = Buffer.from('\n\n')

const BLOCKS: ReadonlySet<unknown> = new Set(['content_block_start', 'content_block_delta'])

export class MessagesReader implements AnswerReader {
  readonly #decoder: MessagesDecoder | undefined
  /** Of what passes verbatim: what is written anew keeps to the grammar by itself. */
  readonly #checker: MessagesChecker | undefined
  readonly #totals = new UsageTotals()
  #started = false
  #blocks = false
  #complete = false

  constructor({ decode }: Pick<ReaderOptions, 'decode'>) {
    this.#decoder = decode ? new MessagesDecoder() : undefined
    this.#checker = decode ? undefined : new MessagesChecker()
  }

  see({ data, bytes, event }: SseFrame): Frame {
    if (data === null) return this.#frame({ kind: 'lifecycle', bytes })
    let value: unknown
    try {
      value = JSON.parse(data)
    } catch (error) {
      return this.#repaired(data, error)
    }
    return this.#seeValue(value, bytes, event)
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
      const text = body.toString('utf8')
      answer = this.#decoder ? parseExact(text) : JSON.parse(text)
    } catch (error) {
      throw new ProviderFailure('upstream_malformed', 'the answer is not JSON', { cause: error })
    }
    if (!isObject(answer)) throw new ProviderFailure('upstream_malformed', 'the answer is not an object')
    if (isFault(answer)) throw failureFromError(answer)
    if (!Array.isArray(answer['content'])) throw new ProviderFailure('upstream_malformed', 'the answer has no content')
    const blocks = objectsIn(answer['content'])
    const usage = this.#totals.add(answer['usage'])
    return {
      kind: 'content',
      bytes: this.#decoder ? NO_BYTES : body,
      events: this.#decoder?.whole(answer, usage) ?? NO_EVENTS,
      text: blocks.map((block) => (block['type'] === 'text' ? (textOf(block['text']) ?? '') : '')).join(''),
      written: blocks.reduce((sum, block) => sum + writtenIn(block), 0),
      usage,
      model: textOf(answer['model']) ?? null,
      complete: true,
    }
  }

  #seeValue(value: unknown, bytes: Uint8Array, event: string | null): Frame {
    if (!isObject(value)) throw new ProviderFailure('upstream_malformed', 'an event of the stream is not an object')
    if (isFault(value) || event === 'error') throw failureFromError(value, this.#decoder ? undefined : bytes)
    const again = this.#started && value['type'] === 'message_start'
    const wrong = again ? null : this.#checker?.see(event, value)
    if (wrong) {
      // A client would run a tool twice whose block stops twice. Nothing is lost without the second.
      if (value['type'] === 'content_block_stop') return this.#frame({ kind: 'lifecycle', bytes: NO_BYTES })
      // What is odd about a greeting or a farewell harms nobody.
      if (BLOCKS.has(value['type'])) throw new ProviderFailure('upstream_malformed', `its stream has ${wrong}`)
    }
    switch (value['type']) {
      case 'message_start':
        return this.#seeStart(value, bytes)
      case 'content_block_start': {
        this.#blocks = true
        const block = isObject(value['content_block']) ? value['content_block'] : {}
        const written = writtenIn(block)
        const says = written > 0 || SAYS_BY_BEING.has(block['type'])
        return this.#frame({ kind: says ? 'content' : 'lifecycle', bytes, value, written, text: textIn(block) })
      }
      case 'content_block_delta': {
        const delta = isObject(value['delta']) ? value['delta'] : {}
        const written = charactersWritten(delta['citation'] === undefined ? delta : undefined)
        return this.#frame({ kind: written > 0 ? 'content' : 'lifecycle', bytes, value, written, text: textIn(delta) })
      }
      case 'content_block_stop':
        return this.#frame({ kind: 'closing', bytes, value })
      case 'message_delta': {
        const ends = isObject(value['delta']) && typeof value['delta']['stop_reason'] === 'string'
        if (ends) this.#complete = true
        const usage = this.#totals.add(value['usage'])
        return this.#frame({ kind: ends ? 'content' : usage ? 'usage' : 'lifecycle', bytes, value, usage })
      }
      case 'message_stop':
        return this.#frame({ kind: 'end', bytes, value })
      default:
        return this.#frame({ kind: 'lifecycle', bytes, value })
    }
  }

  /** Some servers greet twice. Of two answers in one stream nobody can tell which counts. */
  #seeStart(value: Json, bytes: Uint8Array): Frame {
    if (this.#blocks) throw new ProviderFailure('upstream_malformed', 'it began a second answer inside the first')
    const message = isObject(value['message']) ? value['message'] : {}
    const usage = this.#totals.add(message['usage'])
    const again = this.#started
    this.#started = true
    const blocks = objectsIn(message['content'])
    const written = blocks.reduce((sum, block) => sum + writtenIn(block), 0)
    return this.#frame({
      kind: written > 0 ? 'content' : 'lifecycle',
      bytes: again ? NO_BYTES : bytes,
      ...(again ? {} : { value }),
      written,
      usage,
      model: textOf(message['model']) ?? null,
    })
  }

  /** Several values in one event become one frame of several events, written anew. */
  #repaired(data: string, cause: unknown): Frame {
    const values = repairedValues(data)
    if (!values) throw new ProviderFailure('upstream_malformed', 'an event of the stream is not JSON', { cause })
    const frames = values.filter(isObject).map((value) => {
      const type = textOf(value['type'])
      return this.#seeValue(value, Buffer.from(formatSse(JSON.stringify(value), type)), type ?? null)
    })
    // An end mark behind the last event is left away: the answer is complete, and gets ours.
    const said = frames.filter(({ kind }) => kind !== 'end')
    const first = said[0] ?? frames[0]
    if (!first) return this.#frame({ kind: 'lifecycle', bytes: NO_BYTES })
    if (said.length === 0) return first
    return {
      ...first,
      kind: said.find(({ kind }) => kind === 'content')?.kind ?? first.kind,
      bytes: Buffer.concat(said.map(({ bytes }) => bytes)),
      events: said.flatMap(({ events }) => events),
      text: said.map(({ text }) => text).join(''),
      written: said.reduce((sum, frame) => sum + frame.written, 0),
      usage: said.findLast(({ usage }) => usage !== null)?.usage ?? null,
      complete: this.#complete,
    }
  }

  #frame(seen: Seen): Frame {
    return {
      kind: seen.kind,
      bytes: this.#decoder ? NO_BYTES : seen.bytes,
      events: this.#decoder && seen.value ? this.#decoder.event(seen.value, seen.usage ?? null) : NO_EVENTS,
      text: seen.text ?? '',
      written: seen.written ?? 0,
      usage: seen.usage ?? null,
      model: seen.model ?? null,
      complete: this.#complete,
    }
  }
}

interface Seen {
  readonly kind: Frame['kind']
  readonly bytes: Uint8Array
  readonly value?: Json
  readonly text?: string
  readonly written?: number
  readonly usage?: ReturnType<UsageTotals['add']>
  readonly model?: string | null
}

/** Blocks whose coming is itself what the model said. */
const SAYS_BY_BEING: ReadonlySet<unknown> = new Set([
  'tool_use',
  'server_tool_use',
  'mcp_tool_use',
  'redacted_thinking',
])

const isFault = (value: Json): boolean => value['type'] === 'error' || isObject(value['error'])

/** Characters that the model wrote in a block: not what its tools found, nor what it keeps secret. */
function writtenIn(block: Json): number {
  switch (block['type']) {
    case 'text':
      return charactersWritten(block['text'])
    case 'thinking':
      return charactersWritten(block['thinking'])
    case 'tool_use':
    case 'server_tool_use':
    case 'mcp_tool_use':
      return charactersWritten(block['name']) + charactersWritten(block['input'])
    default:
      return 0
  }
}

const textIn = (part: Json): string =>
  part['type'] === 'text_delta' || part['type'] === 'text' ? (textOf(part['text']) ?? '') : ''
