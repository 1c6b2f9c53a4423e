// A kept answer told again: byte for byte where it is wanted in the form in which it came, else through the dialect's
// own reader and writer (streamed ↔ plain).
import { SseSplitter } from '../../core/sse.ts'
import type { Ask, Demand, Dialect } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { type Frame, NO_BYTES, NO_EVENTS } from '../../llm/frames.ts'
import type { CachedAnswer } from './cached-answer.ts'

export interface Replay {
  readonly frames: readonly Frame[]
  /** What ends the stream; empty for a plain answer. */
  readonly closing: Uint8Array
}

/** With these, answers hold what events in no dialect do not carry (citations of a file, say): they keep their form. */
const LOST_IN_TRANSLATION: readonly Demand[] = ['logprobs', 'audio', 'files']

/** undefined where the answer cannot be told in the form that is asked for. */
export function replay(answer: CachedAnswer, ask: Ask, dialect: Dialect): Replay | undefined {
  const asIs = asItCame(answer, ask)
  if (asIs) return asIs
  if (LOST_IN_TRANSLATION.some((demand) => ask.demands.has(demand))) return undefined
  const writer = dialect.createWriter(ask)
  const said = writer.write(withUsage(eventsOf(answer, ask, dialect), answer))
  const end = writer.end()
  return ask.stream
    ? { frames: [frame('content', said, answer)], closing: end }
    : { frames: [frame('content', writer.whole(), answer)], closing: NO_BYTES }
}

/** undefined where it came in the other form, or tells the usage where this caller wants none or the other way round. */
function asItCame(answer: CachedAnswer, ask: Ask): Replay | undefined {
  const { form, pieces, tellsUsage, closing } = answer
  if ((form === 'stream') !== ask.stream) return undefined
  const apart = pieces.some(({ kind }) => kind === 'usage')
  if (ask.stream && tellsUsage !== ask.wantsUsage && !(tellsUsage && apart)) return undefined
  const wanted = ask.wantsUsage ? pieces : pieces.filter(({ kind }) => kind === 'said')
  return {
    frames: wanted.map(({ kind, bytes }, i) => frame(kind === 'said' ? 'content' : 'usage', bytes, answer, i === 0)),
    closing,
  }
}

/**
 * Whether an answer that was served whole may be told again. Not one that was withheld or declined: filters and
 * refusals are moods, and would stay for an hour. Not one that ran into a limit of length, unless the caller set the
 * limit: then that is the answer to the request. It is asked when an answer is first wanted again rather than when it is
 * kept: most never are, and reading every answer a second time would cost each call more than the rest of the cache.
 */
export function maySayAgain(answer: CachedAnswer, ask: Ask, dialect: Dialect): boolean {
  if (dialect.name === 'openai-embeddings' || dialect.name === 'anthropic-count-tokens') return true
  const finished = new Set<number>()
  for (const event of eventsOf(answer, ask, dialect)) {
    if (event.kind === 'refusal' && event.text !== '') return false
    if (event.kind !== 'finish') continue
    const fine = event.reason === 'length' ? ask.maxOutputTokens !== null : FINE.has(event.reason)
    if (!fine) return false
    finished.add(event.choice)
  }
  return finished.size >= ask.choices
}

const FINE: ReadonlySet<string> = new Set(['stop', 'tool-calls'])

/** Throws what the dialect's reader throws. */
function eventsOf(answer: CachedAnswer, ask: Ask, dialect: Dialect): AnswerEvent[] {
  const reader = dialect.createReader({ decode: true, choices: ask.choices })
  const bytes = Buffer.concat(answer.pieces.map((piece) => piece.bytes))
  if (answer.form === 'plain') return [...reader.whole(bytes).events]
  const splitter = new SseSplitter()
  return splitter.push(bytes).flatMap((event) => reader.see(event).events)
}

function withUsage(events: AnswerEvent[], { usage }: CachedAnswer): AnswerEvent[] {
  if (usage && !events.some(({ kind }) => kind === 'usage')) events.push({ kind: 'usage', usage })
  return events
}

/** The first one says it all, for readers of text. */
const frame = (kind: Frame['kind'], bytes: Uint8Array, answer: CachedAnswer, first = true): Frame => ({
  kind,
  bytes,
  events: NO_EVENTS,
  text: first ? answer.text : '',
  written: first ? answer.text.length : 0,
  usage: answer.usage,
  model: answer.answeredBy,
  complete: true,
})
