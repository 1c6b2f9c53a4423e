// When a series left its normal range. One-sided cumulative sums (Page, "Continuous inspection schemes", 1954), with the
// start of the excursion read back as the last moment the sum was zero (Hinkley, 1971). Increments are clipped, so that
// one outlier is never an excursion, and the sum is bounded, so that an older incident is forgotten once it is over.
import type { Normal, Track } from './stats.ts'

/** Deviations below this many scales are noise and drain the sum. */
const ALLOWANCE = 1
/** No point adds more than this. */
const CLIP = 4
/** An excursion is believed from this sum on: two far points, or several near ones. */
const THRESHOLD = 6
const BOUND = 12

export interface Excursion {
  readonly direction: 1 | -1
  readonly onsetMs: number
  /** The last time at which the excursion was going on. */
  readonly untilMs: number
}

/**
 * The last excursion of a track beyond its normal range that was still going on at `sinceMs` or began later;
 * undefined when there is none. `scale` is the deviation that counts as one.
 */
export function findExcursion(
  track: Track,
  normal: Normal,
  scale: number,
  direction: 1 | -1,
  sinceMs: number,
): Excursion | undefined {
  let sum = 0
  let startedMs = 0
  let confirmed = false
  let found: Excursion | undefined
  for (let i = 0; i < track.times.length; i++) {
    const deviation = (direction * ((track.values[i] ?? 0) - normal.centre)) / scale - ALLOWANCE
    if (sum === 0 && deviation > 0) startedMs = track.times[i] ?? 0
    sum = Math.min(BOUND, Math.max(0, sum + Math.min(CLIP, deviation)))
    if (sum >= THRESHOLD) confirmed = true
    if (sum === 0) confirmed = false
    const now = track.times[i] ?? 0
    if (confirmed && deviation > 0 && now >= sinceMs) found = { direction, onsetMs: startedMs, untilMs: now }
  }
  return found
}
