// What is counted of each subject in this process. Subjects that nothing is counted of any more are dropped, so that
// names which callers make up (users) cannot fill the memory.
import type { Subject } from './subjects.ts'
import { MinuteWindow } from './window.ts'

export interface Counters {
  requests: MinuteWindow | undefined
  tokens: MinuteWindow | undefined
  /** Calls under way. */
  active: number
}

const SWEEP_FROM = 10_000

export class CounterBook {
  readonly #counters = new Map<string, Counters>()
  #sweepAt = SWEEP_FROM

  get size(): number {
    return this.#counters.size
  }

  /** Makes what its limits need; undefined for a user without limits. */
  of(subject: Subject, nowMs: number): Counters | undefined {
    const { id, kind, limits } = subject
    let counters = this.#counters.get(id)
    if (!counters) {
      if (kind === 'user' && !hasCounted(subject)) return undefined
      if (this.#counters.size >= this.#sweepAt) this.#sweep(nowMs)
      counters = { requests: undefined, tokens: undefined, active: 0 }
      this.#counters.set(id, counters)
    }
    if (limits.requestsPerMinute !== undefined) counters.requests ??= new MinuteWindow()
    if (limits.tokensPerMinute !== undefined) counters.tokens ??= new MinuteWindow()
    return counters
  }

  /** With the id of its subject. */
  all(): Iterable<readonly [string, Counters]> {
    return this.#counters
  }

  #sweep(nowMs: number): void {
    for (const [id, { active, requests, tokens }] of this.#counters) {
      if (active === 0 && !requests?.total(nowMs) && !tokens?.total(nowMs)) this.#counters.delete(id)
    }
    // Twice what is in use: the work of sweeping stays a constant share of the work of counting.
    this.#sweepAt = Math.max(SWEEP_FROM, this.#counters.size * 2)
  }
}

const hasCounted = ({ limits }: Subject): boolean =>
  limits.requestsPerMinute !== undefined || limits.tokensPerMinute !== undefined || limits.concurrency !== undefined
