// One request on its way: what is known of it so far, and the two things that can end it from outside (the caller goes
// away, or its time is up). Everything the Outcome says is gathered here.
import type { Caller } from '../core/caller.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import type { Limit, Timekeeper } from '../core/timekeeper.ts'
import type { Ask, Dialect } from '../llm/dialect.ts'
import type { AttemptEnd, AttemptRecord } from './attempt.ts'
import { type Bill, sumBills } from './bill.ts'
import type { CacheDirective } from './cache/cacheable.ts'
import {
  type AttemptReason,
  type CacheResult,
  type CostSource,
  decisionOf,
  encodeDecision,
  type LimitHit,
  type Unrescued,
} from './decision.ts'
import { errorTypeOf, type Facts, type Outcome, statusOf } from './outcome.ts'
import type { Trace } from '../observe/tracing.ts'
import type { Standing } from './limits/limiter.ts'
import { NO_STANDING } from './limits/standing.ts'
import type { Plan, Target } from './plan.ts'
import type { LedgerRow } from './tables.ts'

/** A request as the edge hands it in. */
export interface ModelCall {
  readonly dialect: Dialect
  /** JSON in that dialect, as it came. */
  readonly body: Buffer
  readonly caller: Caller
  readonly requestId: string
  /** Aborts when the caller goes away, or with AppError `unavailable` when Midwatch has to end. */
  readonly signal: AbortSignal
  /** A shorter limit than the model's own, if the caller set one. */
  readonly deadlineMs?: number | undefined
  /** What to do when an answer breaks off, if the caller said so. */
  readonly onCut?: 'fail' | 'restart' | 'continue' | undefined
  /** Headers of the caller that belong to its dialect. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** What the caller wants of the cache. */
  readonly cache?: CacheDirective | null
  /** Who is to be charged, beside the caller. */
  readonly purpose?: string | undefined
  /** Whom the caller names as behind the call, in a header; else the request may name one. */
  readonly user?: string | undefined
  /** The trace that the caller is in, as its header says it. */
  readonly traceparent?: string | undefined
}

/** One try at one target, as it is told afterwards. */
export interface Tried extends AttemptRecord {
  readonly target: Target
  readonly reason: AttemptReason
  readonly ticket: 'closed' | 'probe'
  /** Where its price stands; null where nobody knows it. */
  readonly priceSource: CostSource | null
  readonly end: AttemptEnd
}

export class Run {
  readonly id: string
  readonly call: ModelCall
  readonly timekeeper: Timekeeper
  readonly tried: Tried[] = []
  readonly #clock: Clock
  /** When it came in. ms since the epoch. */
  readonly at: number
  readonly #startedMs = performance.now()
  /** Made for those who need a signal; most only ask to be told. */
  #over: AbortController | undefined
  readonly #stops = new Set<() => void>()
  #limit: Limit | undefined
  #dueMs = Infinity
  /** Who is at work: we ourselves since then, or (undefined) someone else. */
  #insideSinceMs: number | undefined = this.#startedMs
  #insideMs = 0
  ask: Ask | undefined
  plan: Plan | undefined
  /** undefined where there are no traces. */
  trace: Trace | undefined
  /** Whom the call names as behind it, in its own words. */
  user: string | undefined
  /** The same, as the ledger knows them. */
  userHash: string | null = null
  /** What budgets count it at: first what was reserved, then what it cost. */
  chargedMicroUsd: number | null = null
  cache: CacheResult = 'off'
  /** Tries that were begun. */
  attempts = 0
  /** When the first content went out. */
  firstContentMs: number | null = null
  /** A second try was begun beside the first. */
  hedged = false
  /** What is left of the tightest limits. */
  standing: Standing = NO_STANDING
  /** How an answer that broke off was made whole. */
  rescued: 'prefill' | 'splice' | null = null
  /** Why nobody was asked to make it whole. */
  unrescued: Unrescued | undefined
  /** What had no room for it. */
  limitHit: LimitHit | null = null
  /** What it waited for its turn. */
  queuedMs = 0
  /** All the time it has. */
  deadlineMs = Infinity

  constructor(call: ModelCall, clock: Clock, timekeeper: Timekeeper) {
    this.call = call
    this.timekeeper = timekeeper
    this.#clock = clock
    this.at = clock.now()
    this.id = newId('llm', this.at)
    if (call.signal.aborted) this.#onCallOver()
    else call.signal.addEventListener('abort', this.#onCallOver, { once: true })
  }

  /** Aborts when nothing more can come of the request; `stopped` says why. */
  get signal(): AbortSignal {
    if (!this.#over) {
      this.#over = new AbortController()
      if (this.stopped) this.#over.abort(this.stopped)
    }
    return this.#over.signal
  }

  /** Why the request was ended from outside: `client_gone`, `deadline`, or `unavailable` when Midwatch has to end. */
  stopped: AppError | undefined

  /** Calls `stop` when nothing more can come of the request; returns the function that takes it back. */
  onStop(stop: () => void): () => void {
    this.#stops.add(stop)
    return () => this.#stops.delete(stop)
  }

  #stop(reason: AppError): void {
    if (this.stopped) return
    this.stopped = reason
    for (const stop of this.#stops) stop()
    this.#over?.abort(reason)
  }

  endWithin(ms: number): void {
    const limitMs = Math.min(ms, this.call.deadlineMs ?? ms)
    this.deadlineMs = limitMs
    this.#dueMs = this.#clock.now() + limitMs
    this.#limit = this.timekeeper.limit(limitMs, () => this.#stop(new AppError('deadline')))
  }

  /** What is left of the deadline. */
  timeLeftMs(): number {
    return this.#dueMs - this.#clock.now()
  }

  beginContent(): void {
    this.firstContentMs ??= this.elapsedMs()
  }

  /** Answers for what another run did on behalf of several, this one among them: for all of it, or its share. */
  adopt(shared: Run, share: (bill: Bill) => Bill = (bill) => bill): void {
    const laterMs = shared.#startedMs - this.#startedMs
    for (const one of shared.tried) {
      this.tried.push({ ...one, startedMs: one.startedMs + laterMs, bill: one.bill && share(one.bill) })
    }
    this.attempts = shared.attempts
    this.hedged = shared.hedged
    this.rescued = shared.rescued
    this.unrescued = shared.unrescued
    this.#insideMs += shared.overheadMs()
  }

  /** We are at work on it. */
  enter(): void {
    this.#insideSinceMs ??= performance.now()
  }

  /** Someone else is: a provider, or the caller who has to take what was written. */
  leave(): void {
    if (this.#insideSinceMs === undefined) return
    this.#insideMs += performance.now() - this.#insideSinceMs
    this.#insideSinceMs = undefined
  }

  /** Some provider was asked and never said what it did; whether it charges for that, nobody knows. */
  get mayHaveUsed(): boolean {
    return this.tried.some(
      ({ bill, end }) =>
        bill === null &&
        (end.kind !== 'failed' || end.failure.kind === 'upstream_timeout' || end.failure.kind === 'upstream_cut'),
    )
  }

  elapsedMs(): number {
    return performance.now() - this.#startedMs
  }

  overheadMs(): number {
    return this.#insideMs + (this.#insideSinceMs === undefined ? 0 : performance.now() - this.#insideSinceMs)
  }

  facts(): Facts {
    const last = this.tried.at(-1)
    const { usage, source, costMicroUsd } = sumBills(this.tried.map(({ bill }) => bill))
    return {
      cache: this.cache,
      provider: last?.target.provider ?? null,
      providerModel: last?.target.model ?? null,
      answeredBy: last?.answeredBy ?? null,
      attempts: this.attempts,
      usage,
      // Who was asked and never said what it did (the loser of a hedge, say) may charge for it all the same.
      usageSource: source === 'measured' && this.mayHaveUsed ? 'estimated' : source,
      costMicroUsd,
      costSource: costMicroUsd === null ? null : (this.tried.findLast(({ bill }) => bill)?.priceSource ?? null),
      overheadMs: this.overheadMs(),
      standing: this.standing,
    }
  }

  /** null while it is under way. */
  row(outcome: Outcome | null): LedgerRow {
    const { caller } = this.call
    const facts = outcome?.facts
    return {
      id: this.id,
      tenant: caller.tenant,
      key_id: caller.keyId,
      request_id: this.call.requestId,
      at: this.at,
      model: this.ask?.model ?? '',
      provider: facts?.provider ?? null,
      provider_model: facts?.providerModel ?? null,
      endpoint: this.call.dialect.endpoint,
      status: outcome && statusOf(outcome),
      outcome: outcome && outcome.kind,
      attempts: this.attempts,
      input_tokens: facts?.usage?.inputTokens ?? null,
      cached_tokens: facts?.usage?.cacheReadTokens ?? null,
      cache_write_tokens: facts?.usage?.cacheWriteTokens ?? null,
      cache_write_1h_tokens: facts?.usage?.cacheWrite1hTokens ?? null,
      output_tokens: facts?.usage?.outputTokens ?? null,
      reasoning_tokens: facts?.usage?.reasoningTokens ?? null,
      usage_source: facts?.usageSource ?? 'unknown',
      cost_micro_usd: facts?.costMicroUsd ?? null,
      cost_source: facts?.costSource ?? null,
      cache: facts?.cache ?? null,
      duration_ms: outcome && this.elapsedMs(),
      ttft_ms: this.ask?.stream === true ? this.firstContentMs : null,
      error_code: outcome && errorTypeOf(outcome),
      purpose: this.call.purpose ?? null,
      team: caller.team ?? null,
      user_hash: this.userHash,
      charged_micro_usd: this.chargedMicroUsd,
      decision: outcome && encodeDecision(decisionOf(this, outcome)),
    }
  }

  /** Lets go of timers and listeners. */
  end(): void {
    this.#limit?.cancel()
    this.call.signal.removeEventListener('abort', this.#onCallOver)
  }

  readonly #onCallOver = (): void => {
    const reason: unknown = this.call.signal.reason
    this.#stop(reason instanceof AppError ? reason : new AppError('client_gone', undefined, { cause: reason }))
  }
}
