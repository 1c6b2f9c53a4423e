// How sure an answer is: a logistic curve (Platt, 1999) over what makes an answer trustworthy: its score, its lead over the
// next service, and how many independent kinds of evidence stand behind it.

export interface Standing {
  readonly score: number
  /** Score of the best other service; 0 when there is none. */
  readonly runnerUp: number
  /** Kinds of evidence for it: series at the service, callers' view, logs, changes … */
  readonly witnesses: number
}

/** Below this a name would be a guess: it is a little more than one saturated measurement from which nobody suffers. */
export const LEAST_SCORE = 1.25

/** What makes an answer trustworthy, as numbers: those that `bench/diagnosis.ts --leave-one-out` fits. */
export const featuresOf = ({ score, runnerUp }: Omit<Standing, 'witnesses'>): readonly [number, number, number] => {
  const lead = score - Math.max(0, runnerUp)
  return [1, Math.sign(lead) * Math.sqrt(Math.min(4, Math.abs(lead))), Math.sqrt(Math.min(8, Math.max(0, score)))]
}

/** A fit, rounded, over recorded cases of four systems, as they are and disturbed, their healthy time, and made-up cases. */
export const COEFFICIENTS = [-3, 1.8, 1.3] as const
const PER_WITNESS = 0.06

/**
 * 0 to 1, rising in each of the three. The lead counts most: much evidence for two services is an open question. Roots, because
 * the first unit of either says more than the fourth.
 */
export function confidenceOf(standing: Standing): number {
  const features = featuresOf(standing)
  const x = COEFFICIENTS.reduce(
    (sum, one, i) => sum + one * (features[i] ?? 0),
    PER_WITNESS * Math.min(standing.witnesses, 4),
  )
  return Math.round(1000 / (1 + Math.exp(-x))) / 1000
}
