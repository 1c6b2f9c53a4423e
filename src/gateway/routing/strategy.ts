// What a strategy is: an order over the targets of one name for one call. It never drops a target, since those behind
// the first are who is asked when it fails; who cannot serve the call has been taken out before.
import type { Ask } from '../../llm/dialect.ts'
import type { Target } from './target.ts'

export interface Weighing {
  readonly ask: Ask
  readonly tenant: string
  readonly nowMs: number
  /** 0 to 1. */
  readonly random: () => number
  /** Millionths of a US dollar that this call is likely to cost there; null where the price is unknown. */
  expectedCost(target: Target): number | null
}

export interface Ranked {
  readonly target: Target
  /** What it was ranked by, as the strategy counts; null where it ranks by none. */
  readonly score: number | null
}

export type Strategy = (targets: readonly Target[], weighing: Weighing) => Ranked[]

/** Lowest first, what has no score last; equal ones stay as they stand. For the few that targets are. */
export function sortByScore(ranked: Ranked[], from = 0): Ranked[] {
  for (let i = from + 1; i < ranked.length; i++) {
    const one = ranked[i]
    if (!one) continue
    let at = i
    for (; at > from; at--) {
      const before = ranked[at - 1]
      if (!before || !(order(before) > order(one))) break
      ranked[at] = before
    }
    ranked[at] = one
  }
  return ranked
}

const order = ({ score }: Ranked): number => score ?? Infinity
