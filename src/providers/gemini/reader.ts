// Reads Gemini's answer, chunk by chunk or whole, into events in no dialect. Every chunk is a whole answer in small; what
// there is of tool calls comes in one piece. The stream has no end mark: all was said once every candidate has a reason
// to have finished.
import type { SseFrame } from '../../core/sse.ts'
import { parseExact } from '../../dialects/exact-json.ts'
import { isObject, type Json, objectsIn, textOf } from '../../dialects/json.ts'
import { repairedValues } from '../../dialects/repair.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerReader, ReaderOptions } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { type Frame, NO_BYTES, NO_EVENTS } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { Candidate } from './candidate.ts'
import { failureFromError } from './failures.ts'
import { readUsage } from './usage.ts'

export class GeminiReader implements AnswerReader {
  readonly #choices: number
  readonly #candidates = new Map<number, Candidate>()
  #started = false
  #complete = false
  /** The latest; told as an event only once all has been said. */
  #usage: Usage | null = null

  constructor({ choices }: Pick<ReaderOptions, 'choices'>) {
    this.#choices = choices
  }

  see({ data }: SseFrame): Frame {
    if (data === null) return NOTHING
    let value: unknown
    try {
      value = parseExact(data)
    } catch (error) {
      // Chunks add up, so several in one event are read as if each had come by itself.
      const values = repairedValues(data)
      if (!values)
        throw new ProviderFailure('upstream_malformed', 'an event of the stream is not JSON', { cause: error })
      return values
        .filter(isObject)
        .map((one) => this.#read(one))
        .reduce(joined, NOTHING)
    }
    return this.#read(value)
  }

  seeRest(event: SseFrame): Frame | undefined {
    let last: Frame | undefined
    try {
      last = event.data === null ? undefined : this.see(event)
    } catch (error) {
      // An event cut in the middle says only that the stream was cut.
      if (!(error instanceof ProviderFailure && error.kind === 'upstream_malformed')) throw error
      return undefined
    }
    if (this.#complete || !this.#allFinished(1)) return last
    // It may give fewer answers than were asked for; that no more come is known only now.
    return this.#completed(last ?? NOTHING)
  }

  whole(body: Buffer): Frame {
    let answer: unknown
    try {
      answer = parseExact(body.toString('utf8'))
    } catch (error) {
      throw new ProviderFailure('upstream_malformed', 'the answer is not JSON', { cause: error })
    }
    const frame = this.#read(answer)
    if (!this.#allFinished(1)) throw new ProviderFailure('upstream_malformed', 'the answer has no finished candidate')
    return { ...(frame.complete ? frame : this.#completed(frame)), kind: 'content' }
  }

  #read(value: unknown): Frame {
    if (!isObject(value)) throw new ProviderFailure('upstream_malformed', 'the answer is not an object')
    if (value['error'] !== undefined) throw failureFromError(value)
    const { candidates } = value
    if (this.#candidates.size === 0) refuseBlocked(value['promptFeedback'])
    const events: AnswerEvent[] = []
    if (!this.#started && candidates !== undefined) {
      this.#started = true
      events.push(startOf(value))
    }
    let content = false
    let text = ''
    let written = 0
    for (const given of objectsIn(candidates)) {
      const candidate = this.#candidate(given['index'])
      const seen = candidate.take(given, events)
      content ||= seen.content
      written += seen.written
      if (candidate.choice === 0) text += seen.text
    }
    const usage = readUsage(value['usageMetadata'])
    if (usage) this.#usage = usage
    const frame: Frame = {
      kind: content ? 'content' : usage ? 'usage' : 'lifecycle',
      bytes: NO_BYTES,
      events,
      text,
      written,
      usage,
      model: textOf(value['modelVersion']) ?? null,
      complete: false,
    }
    return this.#complete || this.#allFinished(this.#choices) ? this.#completed(frame) : frame
  }

  #completed(frame: Frame): Frame {
    const first = !this.#complete
    this.#complete = true
    const usage = first ? this.#usage : frame.usage
    const told = usage ? [{ kind: 'usage' as const, usage }] : NO_EVENTS
    return { ...frame, events: [...frame.events, ...told], complete: true }
  }

  #candidate(index: unknown): Candidate {
    const choice = typeof index === 'number' ? index : 0
    let candidate = this.#candidates.get(choice)
    if (!candidate) this.#candidates.set(choice, (candidate = new Candidate(choice)))
    return candidate
  }

  #allFinished(least: number): boolean {
    if (this.#candidates.size < least) return false
    for (const { finished } of this.#candidates.values()) if (!finished) return false
    return true
  }
}

/** Google refuses a prompt under 200, with a reason in place of an answer. */
function refuseBlocked(feedback: unknown): void {
  const reason = isObject(feedback) ? textOf(feedback['blockReason']) : undefined
  if (reason === undefined) return
  const said = isObject(feedback) ? textOf(feedback['blockReasonMessage']) : undefined
  throw new ProviderFailure('upstream_content_policy', `it blocked the prompt: ${reason}`, {
    publicMessage: said ?? `The provider's rules forbid this prompt (${reason}).`,
  })
}

const startOf = (value: Json): AnswerEvent => ({
  kind: 'start',
  id: textOf(value['responseId']) ?? '',
  model: textOf(value['modelVersion']) ?? '',
  createdS: Math.floor(Date.now() / 1000),
})

const NOTHING: Frame = {
  kind: 'lifecycle',
  bytes: NO_BYTES,
  events: NO_EVENTS,
  text: '',
  written: 0,
  usage: null,
  model: null,
  complete: false,
}

const joined = (a: Frame, b: Frame): Frame => ({
  kind: a.kind === 'content' ? 'content' : b.kind,
  bytes: NO_BYTES,
  events: [...a.events, ...b.events],
  text: a.text + b.text,
  written: a.written + b.written,
  usage: b.usage ?? a.usage,
  model: b.model ?? a.model,
  complete: b.complete,
})
