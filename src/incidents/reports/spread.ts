// Median and ninetieth percentile by nearest rank: always a value that occurred, so that it can be looked up.
import type { Spread } from './weekly-view.ts'

/** `values` in ms, in any order; what is below 0 (a clock that is wrong) counts as 0. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.map((value) => Math.max(0, value)).sort((a, b) => a - b)
  return { of: sorted.length, medianMs: rank(sorted, 0.5), p90Ms: rank(sorted, 0.9) }
}

const rank = (sorted: readonly number[], share: number): number | null =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
