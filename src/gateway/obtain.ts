// Where an answer comes from: the cache, an identical call that is under way, or a provider. What comes from the first
// two costs nothing and used nothing; of several who share a call, exactly one answers for what it used.
import type { ModelConfig } from '../config/schema.ts'
import { AppError } from '../core/errors.ts'
import { NO_USAGE, type Usage } from '../llm/chat.ts'
import type { Ask } from '../llm/dialect.ts'
import type { Audience } from './audience.ts'
import type { Lookup, Recording } from './cache/answer-cache.ts'
import { isShareable } from './cache/cacheable.ts'
import { RequestKey } from './cache/request-key.ts'
import type { Facts, Outcome } from './outcome.ts'
import { failedOutcome, stoppedOutcome } from './pursue.ts'
import { Run } from './run.ts'
import type { GatewayParts } from './serve.ts'

/** What came of a call that several may have listened to. */
export interface SharedRun {
  readonly run: Run
  readonly outcome: Outcome
}

export interface Wanted {
  readonly run: Run
  readonly ask: Ask
  readonly model: ModelConfig
  readonly audience: Audience
  /** Personal data was replaced on the way in and comes back on the way out: the answer is this caller's alone. */
  readonly personal: boolean
}

export interface Steps {
  /** Puts the request on record. Before anybody may ask a provider for it. */
  readonly record: () => void
  /** Asks providers, on behalf of that run. */
  readonly pursue: (run: Run, audience: Audience) => Promise<Outcome>
}

/** Throws what the steps throw. */
export function obtain(parts: GatewayParts, wanted: Wanted, steps: Steps): Promise<Outcome> {
  const { run, model, audience, personal } = wanted
  if (!personal && (model.cache.mode !== 'off' || model.coalesce)) return obtainShared(parts, wanted, steps)
  steps.record()
  return steps.pursue(run, audience)
}

async function obtainShared(parts: GatewayParts, wanted: Wanted, steps: Steps): Promise<Outcome> {
  const { run, ask, model, audience } = wanted
  const directive = run.call.cache ?? null
  const request = new RequestKey(ask, { tenant: run.call.caller.tenant, variant: variantOf(model, run.call.headers) })
  const found = await parts.cache.lookup({
    request,
    dialect: run.call.dialect,
    settings: model.cache,
    directive,
    embed: (texts, signal) =>
      parts.embedFor({ ...run.call, user: run.user }, model.cache.embeddings ?? '')(texts, signal),
    signal: run.signal,
  })
  run.cache = found.kind
  if (found.kind === 'hit') return tell(wanted, found)
  steps.record()
  const pursue = found.kind === 'miss' ? recorded(steps, found.recording) : steps.pursue
  if (!isShareable(request, model, directive)) return pursue(run, audience)
  return share(parts, wanted, `${request.delivery} ${run.call.onCut ?? ''}`, pursue)
}

function tell({ run, ask, audience }: Wanted, { answer, replay }: Extract<Lookup, { kind: 'hit' }>): Outcome {
  const { provider, model, answeredBy } = answer
  run.beginContent()
  const overheadMs = run.overheadMs()
  audience.begin({ provider, model, attempts: 0, stream: ask.stream, cache: 'hit', overheadMs, standing: run.standing })
  void audience.write(replay.frames)
  return {
    kind: 'served',
    closing: replay.closing,
    facts: { ...run.facts(), ...FREE, provider, providerModel: model, answeredBy },
  }
}

const recorded =
  ({ pursue }: Steps, { recorder, keep }: Recording): Steps['pursue'] =>
  async (run, audience) => {
    const outcome = await pursue(run, {
      begin: (head) => audience.begin(head),
      write: (frames) => {
        recorder.take(frames)
        return audience.write(frames)
      },
    })
    // What was used by other tries is no part of this answer. One that was joined from two is nobody's answer.
    const bill = run.tried.findLast(({ end }) => end.kind === 'completed')?.bill
    if (outcome.kind === 'served' && bill && run.rescued === null) {
      keep(outcome.closing, { ...outcome.facts, usage: bill.usage, usageSource: bill.source })
    }
    return outcome
  }

async function share(
  { coalescer, clock, timekeeper }: GatewayParts,
  { run, ask, model, audience }: Wanted,
  key: string,
  pursue: Steps['pursue'],
): Promise<Outcome> {
  run.leave()
  const listener = { audience: noting(run, audience), signal: run.signal }
  const end = await coalescer.share(key, listener, async (audience, signal) => {
    // The call is no one's: it has the time that the model's config gives, whatever its listeners have.
    const shared = new Run({ ...run.call, signal, deadlineMs: undefined }, clock, timekeeper)
    shared.ask = ask
    shared.cache = run.cache
    shared.trace = run.trace
    shared.endWithin(model.timeouts.totalMs)
    try {
      return { run: shared, outcome: await pursue(shared, audience) }
    } finally {
      shared.end()
    }
  })
  run.enter()
  if (end.kind === 'ended' && end.pays) {
    run.adopt(end.outcome.run)
    return run.stopped ? stoppedOutcome(run, run.stopped) : { ...end.outcome.outcome, facts: run.facts() }
  }
  run.cache = 'shared'
  const facts = { ...run.facts(), ...FREE }
  // Also where the call has ended by then: what this caller had not taken yet, it never gets.
  if (run.stopped) return { ...stoppedOutcome(run, run.stopped), facts }
  if (end.kind === 'ended') {
    const { provider, providerModel, answeredBy } = end.outcome.outcome.facts
    return { ...end.outcome.outcome, facts: { ...facts, provider, providerModel, answeredBy } }
  }
  return { ...failedOutcome(run, 'deadline', new AppError('deadline', TOO_SLOW)), facts }
}

const noting = (run: Run, audience: Audience): Audience => ({
  begin: (head) => {
    run.beginContent()
    audience.begin({ ...head, standing: run.standing })
  },
  write: (frames) => audience.write(frames),
})

const TOO_SLOW =
  'The answer was taken too slowly to go on sharing its call with others. Ask again, with x-midwatch-cache: no-store.'

/** Nothing was used: it is known, not unknown. */
const NOTHING_USED = Object.fromEntries(Object.keys(NO_USAGE).map((key) => [key, 0])) as unknown as Usage
export const FREE = {
  attempts: 0,
  usage: NOTHING_USED,
  usageSource: 'measured',
  costMicroUsd: 0,
  costSource: null,
} satisfies Partial<Facts>

/**
 * What stands behind the model's name decides the answer: once it changes, what was kept is another's. So do the headers
 * that are passed on.
 */
function variantOf(model: ModelConfig, headers: Run['call']['headers']): string {
  let variant = VARIANTS.get(model)
  if (variant === undefined) {
    variant = JSON.stringify([model.targets.map(({ provider, model }) => [provider, model]), model.fallbacks])
    VARIANTS.set(model, variant)
  }
  return headers
    ? `${variant} ${JSON.stringify(Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1)))}`
    : variant
}

const VARIANTS = new WeakMap<ModelConfig, string>()
