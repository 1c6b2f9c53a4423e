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

/** 0 to 1, rising in each of the three. */
export function confidenceOf({ score, runnerUp, witnesses }: Standing): number {
  const margin = Math.max(0, score - Math.max(0, runnerUp)) / Math.max(1, score)
  const x = -2.6 + 0.45 * Math.min(score, 7) + 2.6 * margin + 0.3 * Math.min(witnesses, 4)
  return Math.round(1000 / (1 + Math.exp(-x))) / 1000
}
