// How sure an answer is: a logistic curve (Platt, 1999) over what makes an answer trustworthy: its score, its lead over the
// next service, and how many independent kinds of evidence stand behind it.

export interface Standing {
  readonly score: number
  /** Score of the best other service; 0 when there is none. */
  readonly runnerUp: number
  /** Kinds of evidence for it: series at the service, callers' view, logs, changes … */
  readonly witnesses: number
}

/** Below this a name would be a guess. */
export const LEAST_SCORE = 1.2

/**
 * 0 to 1, rising in each of the three. What carries it is the lead, not the score: much evidence for two services is an open
 * question. The coefficients are a fit, rounded, over recorded cases of four systems, rounds of the lab and made-up cases of
 * every severity, each system weighing the same; `bench/diagnosis.ts` prints stated against real.
 */
export function confidenceOf({ score, runnerUp, witnesses }: Standing): number {
  const lead = Math.min(4, Math.max(0, score - Math.max(0, runnerUp)))
  const x = -1.5 + 0.1 * Math.min(score, 8) + lead + 0.08 * Math.min(witnesses, 5)
  return Math.round(1000 / (1 + Math.exp(-x))) / 1000
}
