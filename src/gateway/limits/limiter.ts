// What the gateway asks before a call and tells after it. A call may count against several subjects (its key, its user,
// its team, its model) and several limits of each: either all of them have room and all is reserved, or nothing is.
import type { Subject } from './subjects.ts'

export interface Ask {
  readonly subjects: readonly Subject[]
  /** The most the call can use: the prompt and all the answer it may write. */
  readonly tokens: number
  /** The most the call can cost; null where a price is unknown, and then no call passes a budget. */
  readonly costMicroUsd: number | null
  /** Ends the wait for a decision. */
  readonly signal?: AbortSignal | undefined
}

/** What a call turned out to be. null: nobody knows, so the reservation stands. */
export interface Used {
  readonly tokens: number | null
  readonly costMicroUsd: number | null
}

/** What was reserved for one call. The first of `settle` and `cancel` counts; neither waits, neither throws. */
export interface Lease {
  /** The worst case that is held against the budgets until the call is settled; null where it is not known. */
  readonly reservedMicroUsd: number | null
  settle(used: Used): void
  /** The call was never made: everything is given back, the request too. */
  cancel(): void
}

export interface Allowance {
  readonly limit: number
  readonly remaining: number
  /** Until the whole limit is free again, if nothing more comes. */
  readonly resetMs: number
}

/** The tightest of the subjects' limits a minute; undefined where there is none. */
export interface Standing {
  readonly requests: Allowance | undefined
  readonly tokens: Allowance | undefined
}

export interface Admitted {
  readonly kind: 'admitted'
  readonly lease: Lease
  readonly standing: Standing
}

export type RefusalReason = 'requests' | 'tokens' | 'concurrency' | 'budget' | 'unknown-price'

export interface Refused {
  readonly kind: 'refused'
  readonly reason: RefusalReason
  readonly subject: Subject
  /** Until it may be worth trying again; null where waiting does not help. */
  readonly retryAfterSeconds: number | null
  /** What is exhausted, and what to do. */
  readonly message: string
  readonly standing: Standing
}

export type Decision = Admitted | Refused

export interface Limiter {
  /**
   * At once where it can be, so that the usual call costs no promise. Throws or rejects with AppError `unavailable`
   * when it cannot know, and with the signal's reason.
   */
  admit(ask: Ask): Decision | Promise<Decision>
  /**
   * Learns what these subjects have spent, all in one reading of the ledger, so that their first calls need not wait for
   * it. What cannot be learnt now is learnt then.
   */
  prepare(subjects: readonly Subject[]): Promise<void>
  /** Why it cannot decide as it should right now; undefined when it can. */
  readonly trouble: string | undefined
  /** Resolves when what was settled is told to all who share the limits. */
  stop(): Promise<void>
}
