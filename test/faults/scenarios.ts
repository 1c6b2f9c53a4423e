// The faults, as data: what the first target does, and what the caller gets where nobody else can be asked and where
// somebody can. `whole` is the complete right answer; `error` one that is correct in the caller's protocol and comes in
// time. There is no third, save for an answer that its provider withheld, which has to say so.
import {
  answers,
  breaksAfter,
  closes,
  everyOtherTime,
  firstTime,
  forgetsTheEnd,
  greetsWithHeadersOnly,
  plainBroken,
  plainCut,
  refuses,
  rejectsPrefill,
  resets,
  speaksNoHttp,
  staysSilent,
  thenCloses,
  thenEnds,
  thenErrs,
  thenGarbage,
  thenGlued,
  thenHalfAnEvent,
  thenResets,
  waits,
  WORDS,
} from './behaviours.ts'
import type { Behaviour } from './fault-server.ts'
import type { Speech } from './speech.ts'

export type Form = 'stream' | 'plain'
export type Verdict = 'whole' | 'error' | 'withheld'

export interface Scenario {
  readonly name: string
  readonly forms: readonly Form[]
  readonly first: Behaviour
  /** The fallback; answers well where not said otherwise. */
  readonly second?: Behaviour
  /** The fallback is said to take a prefill. */
  readonly prefill?: true
  /** Of a caller who has only the first target. */
  readonly alone: Verdict | ((asked: Speech, form: Form) => Verdict)
  /** Of one with a fallback. */
  readonly safe: Verdict
  /** The answer had begun: a fallback that says something else cannot go on with it. */
  readonly begun?: true
  /** The status of the error, where it is fixed. */
  readonly status?: number
  /** How many calls one after the other; 1 where not said. */
  readonly times?: number
  /** The same target may only be asked again after so long. */
  readonly notBeforeMs?: number
}

const BOTH: readonly Form[] = ['stream', 'plain']
const STREAM: readonly Form[] = ['stream']
const PLAIN: readonly Form[] = ['plain']

/** Limits of every model here. */
export const LIMITS = { connectMs: 2_000, firstTokenMs: 1_500, idleMs: 1_500, totalMs: 7_000 } as const

export const SCENARIOS: readonly Scenario[] = [
  { name: 'none', forms: BOTH, first: answers(), alone: 'whole', safe: 'whole' },

  // Refusals.
  {
    name: '429-retry-after',
    forms: BOTH,
    first: firstTime(refuses('rate-limit', { 'retry-after': '1' })),
    alone: 'whole',
    safe: 'whole',
    notBeforeMs: 1_000,
  },
  {
    name: '429-long-wait',
    forms: BOTH,
    first: refuses('rate-limit', { 'retry-after': '60' }),
    alone: 'error',
    safe: 'whole',
    status: 429,
  },
  { name: '429-bare', forms: BOTH, first: refuses('rate-limit'), alone: 'error', safe: 'whole', status: 429 },
  { name: '500-once', forms: BOTH, first: firstTime(refuses('server')), alone: 'whole', safe: 'whole' },
  { name: '503-always', forms: BOTH, first: refuses('overloaded'), alone: 'error', safe: 'whole', status: 502 },
  {
    name: 'context-length',
    forms: BOTH,
    first: refuses('context-length'),
    alone: 'error',
    safe: 'whole',
    status: 400,
  },
  {
    name: 'content-policy',
    forms: BOTH,
    first: refuses('content-policy'),
    alone: 'error',
    safe: 'whole',
    status: 400,
  },
  { name: 'withheld', forms: BOTH, first: answers(WORDS, 'withheld'), alone: 'withheld', safe: 'withheld' },

  // The connection.
  { name: 'reset-before-headers', forms: BOTH, first: resets, alone: 'error', safe: 'whole', status: 502 },
  { name: 'closed-before-headers', forms: BOTH, first: closes, alone: 'error', safe: 'whole', status: 502 },
  { name: 'no-http', forms: BOTH, first: speaksNoHttp, alone: 'error', safe: 'whole', status: 502 },
  {
    name: 'no-response',
    forms: STREAM,
    first: staysSilent,
    alone: 'error',
    safe: 'whole',
    status: 504,
  },
  {
    // A plain answer gives no sign of life before it is whole: a try has half of the time while somebody else is left.
    name: 'no-response-plain',
    forms: PLAIN,
    first: staysSilent,
    alone: 'error',
    safe: 'whole',
    status: 504,
  },
  { name: 'headers-then-silence', forms: BOTH, first: greetsWithHeadersOnly, alone: 'error', safe: 'whole' },
  { name: 'flapping', forms: BOTH, first: everyOtherTime(resets), alone: 'whole', safe: 'whole', times: 4 },

  // Streams, before the first content.
  { name: 'slow-first-token', forms: STREAM, first: waits(5_000), alone: 'error', safe: 'whole', status: 504 },
  { name: 'slow-plain', forms: PLAIN, first: waits(2_000), alone: 'whole', safe: 'whole' },
  { name: 'greeting-then-error', forms: STREAM, first: breaksAfter(0, thenErrs(0)), alone: 'error', safe: 'whole' },
  { name: 'greeting-then-reset', forms: STREAM, first: breaksAfter(0, thenResets), alone: 'error', safe: 'whole' },
  { name: 'greeting-then-end', forms: STREAM, first: breaksAfter(0, thenEnds), alone: 'error', safe: 'whole' },
  { name: 'greeting-then-garbage', forms: STREAM, first: breaksAfter(0, thenGarbage), alone: 'error', safe: 'whole' },
  {
    name: 'glued-events',
    forms: STREAM,
    first: breaksAfter(0, thenGlued),
    alone: 'whole',
    safe: 'whole',
  },

  // Streams, after it.
  {
    name: 'cut-after-40',
    forms: STREAM,
    first: breaksAfter(40, thenResets),
    alone: 'error',
    safe: 'whole',
    begun: true,
  },
  {
    name: 'cut-inside-an-event',
    forms: STREAM,
    first: breaksAfter(40, thenHalfAnEvent),
    alone: 'error',
    safe: 'whole',
    begun: true,
  },
  { name: 'ended-early', forms: STREAM, first: breaksAfter(40, thenEnds), alone: 'error', safe: 'whole', begun: true },
  { name: 'stall', forms: STREAM, first: breaksAfter(20, staysSilent), alone: 'error', safe: 'whole', begun: true },
  {
    name: 'malformed-chunk',
    forms: STREAM,
    first: breaksAfter(20, thenGarbage),
    alone: 'error',
    safe: 'whole',
    begun: true,
  },
  {
    name: 'error-in-stream',
    forms: STREAM,
    first: breaksAfter(20, thenErrs(20)),
    alone: 'error',
    safe: 'whole',
    begun: true,
  },
  { name: 'cut-once', forms: STREAM, first: firstTime(breaksAfter(40, thenResets)), alone: 'whole', safe: 'whole' },
  {
    name: 'prefill-taken',
    forms: STREAM,
    first: breaksAfter(40, thenResets),
    prefill: true,
    alone: 'error',
    safe: 'whole',
  },
  {
    name: 'prefill-rejected',
    forms: STREAM,
    first: breaksAfter(40, thenResets),
    second: rejectsPrefill,
    prefill: true,
    alone: 'error',
    safe: 'whole',
  },

  // All was said, and the end mark is missing. In Responses the end mark is what says that all was said.
  {
    name: 'no-end-mark',
    forms: STREAM,
    first: forgetsTheEnd(thenEnds),
    alone: (asked) => (asked === 'responses' ? 'error' : 'whole'),
    safe: 'whole',
  },
  {
    name: 'no-end-mark-closed',
    forms: STREAM,
    first: forgetsTheEnd(thenCloses),
    alone: (asked) => (asked === 'responses' ? 'error' : 'whole'),
    safe: 'whole',
  },
  {
    name: 'no-end-mark-silent',
    forms: STREAM,
    first: forgetsTheEnd(staysSilent),
    alone: (asked) => (asked === 'responses' ? 'error' : 'whole'),
    safe: 'whole',
  },

  // Plain answers.
  { name: 'plain-cut', forms: PLAIN, first: plainCut(thenResets), alone: 'error', safe: 'whole' },
  { name: 'plain-stall', forms: PLAIN, first: plainCut(staysSilent), alone: 'error', safe: 'whole' },
  {
    name: 'plain-half-json',
    forms: PLAIN,
    first: plainBroken((whole) => whole.slice(0, whole.length / 2)),
    alone: 'error',
    safe: 'whole',
  },
  {
    name: 'plain-html',
    forms: PLAIN,
    first: plainBroken(() => '<html>Bad gateway</html>'),
    alone: 'error',
    safe: 'whole',
  },
]
