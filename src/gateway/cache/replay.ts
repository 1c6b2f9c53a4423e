// A kept answer told again: byte for byte where it is wanted in the form in which it came, else through the dialect's
// own reader and writer (streamed ↔ plain).
import { SseSplitter } from '../../core/sse.ts'
import type { Ask, Demand, Dialect } from '../../llm/dialect.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { type Frame, NO_EVENTS } from '../../llm/frames.ts'
import type { CachedAnswer } from './cached-answer.ts'

export interface Replay {
  readonly frames: readonly Frame[]
  /** The end mark; null for a plain answer. */
  readonly closing: Uint8Array | null
}

/** What events in no dialect do not carry: such an answer is only told again in its own form. */
const LOST_IN_TRANSLATION: readonly Demand[] = ['logprobs', 'audio']

/** undefined where the answer cannot be told in the form that is asked for. */
export function replay(answer: CachedAnswer, ask: Ask, dialect: Dialect): Replay | undefined {
  if ((answer.form === 'stream') === ask.stream && tellsUsage(answer, ask)) return { ...asItCame(answer, ask) }
  if (LOST_IN_TRANSLATION.some((demand) => ask.demands.has(demand))) return undefined
  const writer = dialect.createWriter(ask)
  const said = writer.write(withUsage(eventsOf(answer, ask, dialect), answer))
  const end = writer.end()
  return ask.stream
    ? { frames: [frame('content', said, answer)], closing: end.length > 0 ? end : null }
    : { frames: [frame('content', writer.whole(), answer)], closing: null }
}

/** A stream recorded for a caller who wanted no usage has none for one who does. */
const tellsUsage = (answer: CachedAnswer, { stream, wantsUsage }: Ask): boolean =>
  !stream || !wantsUsage || answer.usage === null || answer.pieces.some(({ kind }) => kind === 'usage')

function asItCame(answer: CachedAnswer, ask: Ask): Replay {
  const wanted = answer.pieces.filter(({ kind }) => kind === 'said' || ask.wantsUsage)
  let told = false
  const frames = wanted.map(({ kind, bytes }) => {
    if (kind === 'usage') return frame('usage', bytes, { ...answer, text: '' })
    const one = frame('content', bytes, told ? { ...answer, text: '' } : answer)
    told = true
    return one
  })
  return { frames, closing: answer.closing }
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

const frame = (kind: Frame['kind'], bytes: Uint8Array, answer: CachedAnswer): Frame => ({
  kind,
  bytes,
  events: NO_EVENTS,
  text: answer.text,
  written: answer.text.length,
  usage: answer.usage,
  model: answer.answeredBy,
  complete: true,
})
