// What the gateway decided for one request, and why: whom it could have asked, whom it asked and how each try ended. The
// row of the ledger carries it as JSON, so that people, the page and the on-call agent can read it later.
import type { Usage } from '../llm/chat.ts'
import type { FailureKind } from '../llm/provider.ts'
import type { UsageSource } from './tables.ts'

/** Where the price came from; null when the cost is unknown. */
export type CostSource = 'price-list' | 'config'

/** Whether the answer came from the cache (`hit`), from a provider (`miss`), or from a call that was under way (`shared`). */
export type CacheResult = 'hit' | 'miss' | 'off' | 'shared'

/** A target that the model's name stands for, in the order of the plan. */
export interface Candidate {
  readonly provider: string
  readonly model: string
  /** Why it was not to be asked. */
  readonly skipped?: string
  /** What the strategy ordered it by: less is better. */
  readonly score?: number
}

export type AttemptEndName =
  | FailureKind
  | 'completed'
  | 'hedge-lost' // the other one of two was faster
  | 'stopped' // the caller went away, or the deadline passed

/** One call to a provider. Times are ms since the request came in, or lengths. */
export interface AttemptRecord {
  readonly provider: string
  readonly model: string
  readonly startedMs: number
  readonly connectMs?: number
  /** Since the attempt began. */
  readonly firstContentMs: number | null
  readonly tookMs: number
  readonly end: AttemptEndName
  readonly status?: number
  /** The state its circuit breaker was in when it was asked. */
  readonly breaker?: 'closed' | 'half-open'
  readonly usage: Usage | null
  readonly usageSource: UsageSource
  readonly costMicroUsd: number | null
  readonly retryAfterMs?: number
}

export interface Decision {
  readonly strategy: string
  readonly candidates: readonly Candidate[]
  readonly attempts: readonly AttemptRecord[]
  readonly hedged: boolean
  /** How an answer that was cut after its first content was made whole. */
  readonly rescued: null | 'prefill' | 'splice' | 'restart'
  readonly cache: CacheResult
  readonly costSource: CostSource | null
  readonly deadlineMs: number
  readonly timeLeftMs: number
  /** Spent waiting to be let in. */
  readonly queuedMs: number
}

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
