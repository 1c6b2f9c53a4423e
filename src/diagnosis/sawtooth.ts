// Memory that leaks until the process is killed, starts anew and leaks again: a saw of climbs and falls. Its level says little,
// for half of the time it is low, and a normal that was taken from the first tooth finds the second one ordinary.
import { trendOf, type Track } from './stats.ts'

export interface Sawtooth {
  /** Falls after a climb. */
  readonly falls: number
  readonly peak: number
  readonly bottom: number
}

/** A fall takes this share of all that was climbed, from one point to the next or the one after. */
const FALL = 0.6
/** A climb has at least this many points, nearly all of them higher than the ones before. */
const CLIMB_POINTS = 5
const CLIMB_TREND = 0.8
/** Within this share of a climb above its foot it has not begun. */
const FOOT = 0.05
/** How far the peak stands above the time before: a heap that is swept again and again has done so before. */
const ABOVE = 1.4

/**
 * The saw that a track ends in, or undefined where it has none. The last climb may be short: it is under way. Earlier than the
 * first climb the track must have been below: what always goes up and down is nothing new.
 */
export function findSawtooth({ values }: Track): Sawtooth | undefined {
  if (values.length < 3 * CLIMB_POINTS) return undefined
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const drop = FALL * (high - low)
  let [end, falls, peak, bottom] = [values.length, 0, 0, Number.POSITIVE_INFINITY]
  for (let at = values.length - 1; at > 0; at--) {
    const [before, after] = [values[at - 1] ?? 0, values[at] ?? 0]
    if (before - after < drop) continue
    const climb = climbEndingAt(values, at)
    if (climb === undefined) break
    falls++
    peak = Math.max(peak, before)
    bottom = Math.min(bottom, after)
    end = climb
    at = climb + 1
  }
  if (falls === 0) return undefined
  const earlier = values.subarray(0, end)
  const isNew = earlier.length >= CLIMB_POINTS && peak >= ABOVE * Math.max(...earlier)
  return isNew ? { falls, peak, bottom } : undefined
}

/** Where the climb that ends before `end` begins; undefined where there is none. */
function climbEndingAt(values: Float64Array, end: number): number | undefined {
  let from = end - 1
  while (from > 0 && (values[from - 1] ?? 0) <= (values[from] ?? 0) * 1.02) from--
  // What was level before is no part of it.
  const foot = (values[from] ?? 0) + FOOT * ((values[end - 1] ?? 0) - (values[from] ?? 0))
  while (from < end - 1 && (values[from + 1] ?? 0) <= foot) from++
  const climb = values.subarray(from, end)
  return climb.length >= CLIMB_POINTS && trendOf(climb) >= CLIMB_TREND ? from : undefined
}
