// A quantile from the buckets of a histogram, by the method of Prometheus' histogram_quantile(): linear inside the
// bucket that holds the rank, the lowest bucket taken to begin at zero, the highest finite bound when the rank lies
// beyond it.

export interface Bucket {
  readonly upperBound: number
  /** How many were at or below the bound (or how many a second). */
  readonly count: number
}

/** `buckets` ascending by bound. NaN when there is no +Inf bucket, only that one, or nothing was counted. */
export function bucketQuantile(q: number, buckets: readonly Bucket[]): number {
  const last = buckets.at(-1)
  if (!last || last.upperBound !== Number.POSITIVE_INFINITY || buckets.length < 2) return Number.NaN
  // Buckets scraped while they are being counted up can disagree a little: a count never falls towards the right.
  let highest = 0
  const counts = buckets.map(({ count }) => (highest = Math.max(highest, count)))
  if (highest === 0) return Number.NaN
  const rank = q * highest
  const at = counts.slice(0, -1).findIndex((count) => count >= rank)
  if (at === -1) return buckets.at(-2)?.upperBound ?? Number.NaN
  const upper = buckets[at]?.upperBound ?? Number.NaN
  if (at === 0 && upper <= 0) return upper
  const lower = at === 0 ? 0 : (buckets[at - 1]?.upperBound ?? 0)
  const below = at === 0 ? 0 : (counts[at - 1] ?? 0)
  const inside = (counts[at] ?? 0) - below
  // Nothing inside and the rank is reached: q is 0 on an empty first bucket.
  return inside === 0 ? lower : lower + (upper - lower) * ((rank - below) / inside)
}
