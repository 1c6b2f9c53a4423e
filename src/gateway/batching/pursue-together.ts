// Where the answer to an embeddings call comes from when its model's calls go up together: one joint call on behalf of
// several, of which each gets its own vectors and answers for its own part of what was used. The joint call is no one's: it
// has the time of its most patient caller, and every caller its own.
import { openAiEmbeddings } from '../../dialects/openai-embeddings/dialect.ts'
import { countOfInputs, joinRequests, jointKey, splitAnswer } from '../../dialects/openai-embeddings/joint.ts'
import { charactersOf, type EmbeddingsAsk, embeddingsAskOf } from '../../dialects/openai-embeddings/read-request.ts'
import { AppError } from '../../core/errors.ts'
import type { Ask } from '../../llm/dialect.ts'
import { NO_EVENTS } from '../../llm/frames.ts'
import type { AnswerHead, Audience } from '../audience.ts'
import type { Bill } from '../bill.ts'
import { Delivery } from '../delivery.ts'
import { FREE } from '../obtain.ts'
import type { ErrorType, Outcome } from '../outcome.ts'
import type { Plan } from '../plan.ts'
import { failedOutcome, pursue, stoppedOutcome } from '../pursue.ts'
import { Run } from '../run.ts'
import type { GatewayParts } from '../serve.ts'
import type { BatchCall, MicroBatcherOptions, Part } from './micro-batcher.ts'
import { shareOut } from './share-out.ts'

export interface TogetherCall extends BatchCall {
  readonly parts: GatewayParts
  readonly run: Run
  readonly ask: EmbeddingsAsk
  readonly plan: Plan
}

export interface Wish {
  readonly run: Run
  readonly ask: Ask
  readonly plan: Plan
  readonly audience: Audience
}

/** `alone`: makes the call by itself. */
export function pursueTogether(parts: GatewayParts, wish: Wish, alone: () => Promise<Outcome>): Promise<Outcome> {
  return wish.plan.model.batch.maxInputs === 1 || wish.ask.dialect !== 'openai-embeddings'
    ? alone()
    : pursueInBatch(parts, wish, alone)
}

async function pursueInBatch(parts: GatewayParts, wish: Wish, alone: () => Promise<Outcome>): Promise<Outcome> {
  const { run, plan } = wish
  const { batch } = plan.model
  const ask = embeddingsAskOf(wish.ask)
  const size = countOfInputs(ask)
  if (size >= batch.maxInputs) return alone()
  const key = JSON.stringify([run.call.caller.tenant, run.call.headers, jointKey(ask)])
  const end = await parts.batcher.join(key, { parts, run, ask, plan, size, signal: run.signal }, batch)
  run.enter()
  switch (end.kind) {
    case 'alone':
      return alone()
    case 'left':
      return run.stopped
        ? { ...stoppedOutcome(run, run.stopped), facts: { ...run.facts(), ...FREE } }
        : failedOutcome(run, 'internal', new AppError('internal'))
    case 'ended':
      return take(wish, end.result, end.part)
  }
}

/** What one joint call came to. */
export class JointAnswer {
  readonly run: Run
  readonly outcome: Outcome
  readonly head: AnswerHead | undefined
  readonly body: Buffer
  #told:
    | { readonly shares: ReadonlyMap<Bill, readonly Bill[]>; readonly own: readonly Buffer[] | undefined }
    | undefined

  constructor(run: Run, outcome: Outcome, head: AnswerHead | undefined, body: Buffer) {
    this.run = run
    this.outcome = outcome
    this.head = head
    this.body = body
  }

  /** Each stayer's part of every bill, and what each call that was sent gets: worked out once for all of them. */
  told({ sent, stayed }: Part<TogetherCall>) {
    if (this.#told) return this.#told
    const weights = stayed.map(({ ask }) => charactersOf(ask.inputs).reduce((sum, count) => sum + count, 0))
    const bills = this.run.tried.flatMap(({ bill }) => (bill ? [bill] : []))
    const shares = new Map(bills.map((bill) => [bill, shareOut(bill, weights)]))
    const paid = bills.at(-1)
    const portions = sent.map((call) => {
      const share = paid && shares.get(paid)?.[stayed.indexOf(call)]
      return { count: call.size, usage: share?.source === 'measured' ? share.usage : null }
    })
    const own = this.outcome.kind === 'served' ? splitAnswer(this.body, portions) : undefined
    return (this.#told = { shares, own })
  }
}

function take({ run, audience }: Wish, joint: JointAnswer, part: Part<TogetherCall>): Outcome {
  const { shares, own } = joint.told(part)
  const place = part.stayed.indexOf(part.call)
  run.adopt(joint.run, (bill) => shares.get(bill)?.[place] ?? bill)
  if (run.stopped) return stoppedOutcome(run, run.stopped)
  const { outcome, head } = joint
  if (outcome.kind !== 'served') return { ...outcome, facts: run.facts() }
  const bytes = own?.[part.sent.indexOf(part.call)]
  if (!head || !bytes) {
    const error = new AppError('upstream', 'The answer of the provider could not be taken apart. Try again.')
    return failedOutcome(run, 'upstream_malformed', error)
  }
  run.beginContent()
  audience.begin({ ...head, cache: run.cache, standing: run.standing, overheadMs: run.overheadMs() })
  void audience.write([
    { kind: 'content', bytes, events: NO_EVENTS, text: '', written: 0, usage: null, model: null, complete: true },
  ])
  return { ...outcome, facts: run.facts() }
}

async function send(calls: readonly TogetherCall[], signal: AbortSignal): Promise<JointAnswer> {
  const [first] = calls
  if (!first) throw new Error('a batch of nothing')
  const { parts, plan } = first
  const body = joinRequests(calls.map(({ ask }) => ask))
  const ask = openAiEmbeddings.read(body)
  const patient = calls.reduce((most, call) => (call.run.timeLeftMs() > most.run.timeLeftMs() ? call : most))
  const { deadlineMs } = patient.run.call
  const run = new Run({ ...first.run.call, body, signal, deadlineMs }, parts.clock, parts.timekeeper)
  run.ask = ask
  run.trace = first.run.trace
  run.endWithin(patient.run.timeLeftMs())
  for (const call of calls) call.run.leave()
  let head: AnswerHead | undefined
  const pieces: Uint8Array[] = []
  const audience: Audience = {
    begin: (given) => {
      head = given
    },
    write: (frames) => {
      for (const { bytes } of frames) pieces.push(bytes)
      return undefined
    },
  }
  const delivery = new Delivery(run, ask, audience, { release: 'content', rescuable: false, vault: null })
  try {
    const outcome = await pursue(parts, { run, ask, plan, delivery, rewrite: false })
    return new JointAnswer(run, outcome, head, Buffer.concat(pieces))
  } finally {
    run.end()
  }
}

/** A provider found fault with the request itself: with the inputs of one of the calls, as far as anybody can tell. */
const OF_THE_REQUEST: ReadonlySet<ErrorType> = new Set([
  'upstream_4xx',
  'upstream_context_length',
  'upstream_content_policy',
])

export const TOGETHER: Pick<MicroBatcherOptions<TogetherCall, JointAnswer>, 'send' | 'atFault'> = {
  send,
  atFault: ({ outcome }) =>
    outcome.kind === 'failed' && OF_THE_REQUEST.has(outcome.errorType) && outcome.error.code === 'malformed',
}
