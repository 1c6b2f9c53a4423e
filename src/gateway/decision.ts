// What the gateway decided for one request, and why: whom it could have asked, whom it asked and how each try ended. The
// row of the ledger carries it as JSON, so that people, the page and the on-call agent can read it later. It is put
// together once, when the request has ended, from what the run has kept; nothing in it is the caller's or a model's words.
import type { Usage } from '../llm/chat.ts'
import type { FailureKind } from '../llm/provider.ts'
import type { AttemptEnd } from './attempt.ts'
import type { RefusalReason } from './limits/limiter.ts'
import type { SubjectKind } from './limits/subjects.ts'
import type { Outcome } from './outcome.ts'
import type { Candidate } from './plan.ts'
import type { Run, Tried } from './run.ts'
import type { UsageSource } from './tables.ts'

/** Where the price came from; null when the cost is unknown, and where nothing was used. */
export type CostSource = 'price-list' | 'config'

/** Whether the answer came from the cache (`hit`), from a provider (`miss`), or from a call that was under way (`shared`). */
export type CacheResult = 'hit' | 'miss' | 'off' | 'shared'

/** Why a try was begun. */
export const ATTEMPT_REASONS = [
  'first',
  'retry', // at the same target
  'failover', // at the next one
  'hedge', // beside one that was slow
  'rescue', // to go on with an answer that broke off
] as const
export type AttemptReason = (typeof ATTEMPT_REASONS)[number]

export type AttemptEndName =
  | FailureKind
  | 'completed'
  | 'hedge-lost' // the other one of two was faster
  | 'stopped' // the caller went away, or the deadline passed

/** One call to a provider. Times are ms since the request came in, or lengths. */
export interface AttemptDecision {
  readonly provider: string
  readonly model: string
  readonly reason: AttemptReason
  readonly startedMs: number
  readonly connectMs: number | null
  /** Since the attempt began. */
  readonly firstContentMs: number | null
  readonly tookMs: number
  readonly end: AttemptEndName
  /** Of an error that the provider answered with. */
  readonly status?: number | undefined
  /** The state its circuit breaker was in when it was asked. */
  readonly breaker: 'closed' | 'half-open'
  readonly usage: Usage | null
  readonly usageSource: UsageSource
  readonly costMicroUsd: number | null
  /** What the provider asked for. */
  readonly retryAfterMs?: number | undefined
}

/** A limit or a budget without room. */
export interface LimitHit {
  readonly reason: RefusalReason
  readonly subject: SubjectKind
}

export const UNRESCUED = [
  'not asked for', // stream.onCut, or the caller's header, is another
  'several choices',
  'too long', // for us to remember what was said
  'cannot be joined', // the provider's events are such that ours cannot follow them
  'breaker open', // of all who could have gone on
] as const
export type Unrescued = (typeof UNRESCUED)[number]

export interface Decision {
  /** null: the request named no model that there is. */
  readonly strategy: string | null
  /** In the order in which they were to be tried; those that were skipped say why. */
  readonly candidates: readonly Candidate[]
  /** In the order in which they were begun. */
  readonly attempts: readonly AttemptDecision[]
  readonly hedged: boolean
  /** How an answer that was cut after its first content was made whole. */
  readonly rescued: null | 'prefill' | 'splice' | 'restart'
  /** Why nobody was asked to go on with an answer that was cut after its first content; absent where there was no such. */
  readonly unrescued?: Unrescued | undefined
  readonly limit: LimitHit | null
  readonly cache: CacheResult
  readonly costSource: CostSource | null
  /** null where no model set one. */
  readonly deadlineMs: number | null
  readonly timeLeftMs: number | null
  /** Spent waiting to be let in. */
  readonly queuedMs: number
}

export function decisionOf(run: Run, outcome: Outcome): Decision {
  const { plan, tried, deadlineMs } = run
  return {
    strategy: plan ? plan.model.strategy : null,
    candidates: plan ? plan.candidates : [],
    attempts: tried.length > 1 ? tried.map(tellTry).sort((a, b) => a.startedMs - b.startedMs) : tried.map(tellTry),
    hedged: run.hedged,
    rescued: run.rescued ?? (outcome.kind === 'served' && tried.length > 1 && wasRestarted(tried) ? 'restart' : null),
    unrescued: run.unrescued,
    limit: run.limitHit,
    cache: run.cache,
    costSource: outcome.facts.costSource,
    deadlineMs: deadlineMs === Infinity ? null : deadlineMs,
    timeLeftMs: deadlineMs === Infinity ? null : Math.max(0, run.timeLeftMs()),
    queuedMs: toMicroseconds(run.queuedMs),
  }
}

/** An answer was cut that had begun and of which the caller had seen nothing. */
const wasRestarted = (tried: readonly Tried[]): boolean =>
  tried.some(({ end, firstContentMs }) => end.kind === 'failed' && firstContentMs !== null)

function tellTry(one: Tried): AttemptDecision {
  const { target, end, bill } = one
  const detail = end.kind === 'failed' ? end.failure.detail : undefined
  return {
    provider: target.provider,
    model: target.model,
    reason: one.reason,
    startedMs: toMicroseconds(one.startedMs),
    connectMs: one.connectMs === null ? null : toMicroseconds(one.connectMs),
    firstContentMs: one.firstContentMs === null ? null : toMicroseconds(one.firstContentMs),
    tookMs: toMicroseconds(one.tookMs),
    end: endName(end),
    status: detail?.status,
    breaker: one.ticket === 'probe' ? 'half-open' : 'closed',
    usage: bill && bill.usage,
    usageSource: bill ? bill.source : 'unknown',
    costMicroUsd: bill && bill.costMicroUsd,
    retryAfterMs: detail?.retryAfterSeconds === undefined ? undefined : detail.retryAfterSeconds * 1000,
  }
}

export function endName(end: AttemptEnd): AttemptEndName {
  switch (end.kind) {
    case 'completed':
    case 'stopped':
      return end.kind
    case 'failed':
    case 'late':
      return end.failure.kind
    case 'lost':
      return 'hedge-lost'
  }
}

/** Finer is noise, and longer to write down. */
const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000

export const encodeDecision = (decision: Decision): string => JSON.stringify(decision)

/** What `encodeDecision` wrote; null for what it did not. */
export function parseDecision(text: string | null): Decision | null {
  if (text === null || text === '') return null
  try {
    return JSON.parse(text) as Decision
  } catch {
    return null
  }
}
