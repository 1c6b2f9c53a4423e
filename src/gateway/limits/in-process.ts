// The limits of one process, in its memory. Between the look at the counters and the reservation nothing is awaited: so
// however many calls come at once, none slips in between.
import type { Clock } from '../../core/clock.ts'
import { type Counters, CounterBook } from './counters.ts'
import type { Admitted, Ask, Decision, Lease, Limiter, Standing, Used } from './limiter.ts'
import { findUnpriced, longer, refuse, type Shortage, SOON_MS } from './refusal.ts'
import { type Budget, nanoOf, nanoOfUsd, type Spending } from './spending.ts'
import { NO_STANDING, tighter } from './standing.ts'
import type { Subject } from './subjects.ts'
import type { MinuteWindow } from './window.ts'

export class InProcessLimiter implements Limiter {
  readonly counters = new CounterBook()
  readonly trouble = undefined
  readonly #clock: Clock
  readonly #spending: Spending

  constructor(clock: Clock, spending: Spending) {
    this.#clock = clock
    this.#spending = spending
  }

  admit(ask: Ask): Decision | Promise<Decision> {
    const unpriced = findUnpriced(ask)
    if (unpriced) return refuse(unpriced, ask, NO_STANDING)
    const nowMs = this.#clock.now()
    const learning = learnBudgets(this.#spending, ask, nowMs)
    return learning ? learning.then(() => this.admit(ask)) : this.#decide(ask, nowMs)
  }

  /** Counts a call that was admitted elsewhere, whatever the limits here. */
  record(ask: Ask): InProcessLease {
    const nowMs = this.#clock.now()
    const holds: Hold[] = []
    for (const subject of ask.subjects) {
      const counters = this.counters.of(subject, nowMs)
      const budget = this.#spending.find(subject, nowMs)
      if (counters || budget) holds.push(holdOn(counters, budget))
    }
    return new InProcessLease(ask, holds, nowMs)
  }

  prepare(subjects: readonly Subject[]): Promise<void> {
    return prepareBudgets(this.#spending, subjects, this.#clock.now())
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  #decide(ask: Ask, nowMs: number): Decision {
    const holds: Hold[] = []
    let shortage: Shortage | undefined
    for (const subject of ask.subjects) {
      const counters = this.counters.of(subject, nowMs)
      const budget = subject.limits.budgetUsd && this.#spending.find(subject, nowMs)
      if (!counters && !budget) continue
      const { requestsPerMinute, tokensPerMinute, concurrency, budgetUsd } = subject.limits
      if (requestsPerMinute !== undefined) {
        const waitMs = counters?.requests?.msUntil(nowMs, requestsPerMinute - 1) ?? 0
        if (waitMs > 0) shortage = longer(shortage, { reason: 'requests', subject, waitMs })
      }
      if (tokensPerMinute !== undefined) {
        const waitMs = counters?.tokens?.msUntil(nowMs, tokensPerMinute - ask.tokens) ?? 0
        if (waitMs > 0) shortage = longer(shortage, { reason: 'tokens', subject, waitMs })
      }
      if (concurrency !== undefined && counters && counters.active >= concurrency) {
        shortage = longer(shortage, { reason: 'concurrency', subject, waitMs: SOON_MS })
      }
      if (budget && budgetUsd) {
        const waitMs = msUntilAffordable(budget, nanoOfUsd(budgetUsd.amount), nanoOf(ask.costMicroUsd ?? 0), nowMs)
        if (waitMs > 0) shortage = longer(shortage, { reason: 'budget', subject, waitMs })
      }
      holds.push(holdOn(counters, budget))
    }
    if (shortage) return refuse(shortage, ask, this.#standing(ask, nowMs))
    const lease = new InProcessLease(ask, holds, nowMs)
    return { kind: 'admitted', lease, standing: this.#standing(ask, nowMs) } satisfies Admitted
  }

  #standing(ask: Ask, nowMs: number): Standing {
    let { requests, tokens } = NO_STANDING
    for (const subject of ask.subjects) {
      const { requestsPerMinute, tokensPerMinute } = subject.limits
      if (requestsPerMinute === undefined && tokensPerMinute === undefined) continue
      const counters = this.counters.of(subject, nowMs)
      if (requestsPerMinute !== undefined && counters?.requests) {
        const window = counters.requests
        requests = tighter(requests, requestsPerMinute, window.total(nowMs), window.msUntilEmpty(nowMs))
      }
      if (tokensPerMinute !== undefined && counters?.tokens) {
        const window = counters.tokens
        tokens = tighter(tokens, tokensPerMinute, window.total(nowMs), window.msUntilEmpty(nowMs))
      }
    }
    return requests || tokens ? { requests, tokens } : NO_STANDING
  }
}

export async function prepareBudgets(spending: Spending, subjects: readonly Subject[], nowMs: number): Promise<void> {
  await Promise.allSettled(subjects.map((subject) => spending.learn(subject, nowMs)))
}

/** Resolves when every budget of the ask is known; undefined where they all are. */
export function learnBudgets(spending: Spending, ask: Ask, nowMs: number): Promise<unknown> | undefined {
  let learning: Promise<void>[] | undefined
  for (const subject of ask.subjects) {
    if (!subject.limits.budgetUsd) spending.forget(subject)
    else if (!spending.find(subject, nowMs)) (learning ??= []).push(spending.learn(subject, nowMs))
  }
  if (!learning) return undefined
  const { signal } = ask
  const all = Promise.all(learning)
  if (!signal) return all
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    all.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

/** 0 where there is room; soon, where calls under way hold more than is missing; else when the next period begins. */
function msUntilAffordable(budget: Budget, limitNano: number, costNano: number, nowMs: number): number {
  const total = budget.committedNano + budget.othersNano + costNano
  if (total <= limitNano) return 0
  if (total - budget.reservedNano <= limitNano) return SOON_MS
  return costNano > limitNano ? Infinity : budget.endMs - nowMs
}

/** Where a call is counted, for one subject. */
interface Hold {
  readonly counters: Counters | undefined
  /** As of the admission: a limit that came later has not counted this call. */
  readonly requests: MinuteWindow | undefined
  readonly tokens: MinuteWindow | undefined
  readonly budget: Budget | undefined
  /** Of the budget's period: the cost of a call belongs to the period in which it was admitted. */
  readonly startMs: number
}

const holdOn = (counters: Counters | undefined, budget: Budget | undefined): Hold => ({
  counters,
  requests: counters?.requests,
  tokens: counters?.tokens,
  budget,
  startMs: budget?.startMs ?? 0,
})

export class InProcessLease implements Lease {
  readonly reservedMicroUsd: number | null
  readonly #holds: readonly Hold[]
  readonly #tokens: number
  readonly #nano: number
  readonly #second: number
  #open = true

  constructor(ask: Ask, holds: readonly Hold[], nowMs: number) {
    this.reservedMicroUsd = ask.costMicroUsd
    this.#holds = holds
    this.#tokens = ask.tokens
    this.#nano = nanoOf(ask.costMicroUsd ?? 0)
    this.#second = Math.floor(nowMs / 1000)
    for (const { counters, requests, tokens, budget } of holds) {
      if (counters) counters.active++
      requests?.add(nowMs, 1)
      tokens?.add(nowMs, ask.tokens)
      if (budget) {
        budget.calls++
        budget.committedNano += this.#nano
        budget.reservedNano += this.#nano
      }
    }
  }

  get open(): boolean {
    return this.#open
  }

  settle({ tokens, costMicroUsd }: Used): void {
    this.#close(
      0,
      (tokens ?? this.#tokens) - this.#tokens,
      costMicroUsd === null ? 0 : nanoOf(costMicroUsd) - this.#nano,
    )
  }

  cancel(): void {
    this.#close(-1, -this.#tokens, -this.#nano)
  }

  #close(requests: number, tokens: number, nano: number): void {
    if (!this.#open) return
    this.#open = false
    for (const { counters, requests: requestWindow, tokens: tokenWindow, budget, startMs } of this.#holds) {
      if (counters) counters.active--
      if (requests !== 0) requestWindow?.adjust(this.#second, requests)
      if (tokens !== 0) tokenWindow?.adjust(this.#second, tokens)
      if (budget) budget.calls--
      if (budget?.startMs === startMs) {
        budget.committedNano += nano
        budget.reservedNano -= this.#nano
      }
    }
  }
}
