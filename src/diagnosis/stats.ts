// Robust statistics over plain arrays: what a median can say when a mean would be pulled away by the incident itself.
// Nothing here throws: an empty input gives NaN or a neutral value, and NaN inputs are left out by the caller.
import type { Point } from '../core/telemetry.ts'

/** A series ready for arithmetic: times ascending and unique, values finite. */
export interface Track {
  readonly times: Float64Array
  readonly values: Float64Array
}

/** What is normal for a series. `scale` is comparable to a standard deviation under a normal distribution. */
export interface Normal {
  readonly centre: number
  readonly scale: number
  /** How far it strays on a quiet day: the 2nd and 98th percentile, or the 10th and 90th of few values. */
  readonly low: number
  readonly high: number
  readonly count: number
}

/** More values than this say no more about a median; taking every n-th keeps thousands of long series cheap. */
const SAMPLE = 512

/** No date lies further from the epoch (ECMA-262), and no measurement is larger: beyond that sums and ratios overflow. */
const MAX_TIME = 8.64e15
const MAX_VALUE = 1e150

/** False for NaN too. */
const isUsable = (time: number, value: number): boolean => Math.abs(time) <= MAX_TIME && Math.abs(value) <= MAX_VALUE

/** Points to a track: drops what is no time or no number, orders by time, and keeps the last of two points at one time. */
export function toTrack(points: readonly Point[]): Track {
  const times = new Float64Array(points.length)
  const values = new Float64Array(points.length)
  let kept = 0
  let last = Number.NEGATIVE_INFINITY
  // Indexed on purpose: destructuring ten million pairs takes seconds.
  for (let i = 0; i < points.length; i++) {
    const point = points[i] as Point
    const time = point[0]
    const value = point[1]
    if (!isUsable(time, value)) continue
    if (time <= last) return sortedTrack(points)
    last = time
    times[kept] = time
    values[kept++] = value
  }
  return { times: times.subarray(0, kept), values: values.subarray(0, kept) }
}

function sortedTrack(points: readonly Point[]): Track {
  const byTime = new Map<number, number>()
  for (const [time, value] of points) if (isUsable(time, value)) byTime.set(time, value)
  const times = Float64Array.from(byTime.keys()).sort()
  return { times, values: times.map((time) => byTime.get(time) ?? 0) }
}

/** Index of the first time at or after `ms`. */
export function firstAt(track: Track, ms: number): number {
  let low = 0
  let high = track.times.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((track.times[middle] ?? 0) < ms) low = middle + 1
    else high = middle
  }
  return low
}

/** The values with `fromMs` ≤ time < `toMs`, without copying. */
export const valuesBetween = (track: Track, fromMs: number, toMs: number): Float64Array =>
  track.values.subarray(firstAt(track, fromMs), Math.max(firstAt(track, fromMs), firstAt(track, toMs)))

/** Quantile `q` of ascending values with linear interpolation (type 7 of Hyndman and Fan, 1996). */
export function quantileOf(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = (sorted.length - 1) * q
  const below = Math.floor(at)
  const low = sorted[below] ?? Number.NaN
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low
  return low + (high - low) * (at - below)
}

/** Ascending copy of at most `SAMPLE` values, taken evenly. */
export function sortedSample(values: Float64Array): Float64Array {
  if (values.length <= SAMPLE) return values.slice().sort()
  const sample = new Float64Array(SAMPLE)
  for (let i = 0; i < SAMPLE; i++) sample[i] = values[Math.floor((i * values.length) / SAMPLE)] ?? 0
  return sample.sort()
}

export const median = (values: Float64Array): number => quantileOf(sortedSample(values), 0.5)

/**
 * Centre and spread that survive outliers: the median, and the larger of the scaled median absolute deviation
 * (Rousseeuw and Croux, 1993) and the scaled inter-quartile range (as BARO scores with: Pham et al., FSE 2024).
 * Up to half of the values may belong to another incident before the centre moves.
 */
export function normalOf(values: Float64Array): Normal {
  const sorted = sortedSample(values)
  if (sorted.length === 0) return { centre: Number.NaN, scale: 0, low: Number.NaN, high: Number.NaN, count: 0 }
  const centre = quantileOf(sorted, 0.5)
  const deviations = sorted.map((value) => Math.abs(value - centre)).sort()
  const mad = 1.4826 * quantileOf(deviations, 0.5)
  const iqr = (quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25)) / 1.349
  // The 98th percentile of thirty values is their largest, which may belong to an older incident.
  const edge = 0.9 + 0.08 * clamp((sorted.length - 30) / 70, 0, 1)
  return {
    centre,
    scale: Math.max(mad, iqr),
    low: quantileOf(sorted, 1 - edge),
    high: quantileOf(sorted, edge),
    count: values.length,
  }
}

/** Units per millisecond: the median of pairwise slopes (Theil, 1950; Sen, 1968) over at most 60 evenly taken points. */
export function slopeOf(track: Track, fromMs: number): number {
  const start = firstAt(track, fromMs)
  const count = track.times.length - start
  if (count < 3) return 0
  const take = Math.min(count, 60)
  const slopes: number[] = []
  const pick = (i: number): number => start + Math.floor((i * (count - 1)) / (take - 1))
  for (let i = 0; i < take; i++) {
    for (let j = i + 1; j < take; j++) {
      const [a, b] = [pick(i), pick(j)]
      const span = (track.times[b] ?? 0) - (track.times[a] ?? 0)
      if (span > 0) slopes.push(((track.values[b] ?? 0) - (track.values[a] ?? 0)) / span)
    }
  }
  return slopes.length === 0 ? 0 : quantileOf(Float64Array.from(slopes).sort(), 0.5)
}

/** The share of rising pairs minus the share of falling ones, −1 to 1 (Kendall's tau against time; Mann, 1945). */
export function trendOf(values: Float64Array): number {
  const take = Math.min(values.length, 60)
  if (take < 3) return 0
  const pick = (i: number): number => values[Math.floor((i * (values.length - 1)) / (take - 1))] ?? 0
  let sum = 0
  for (let i = 0; i < take; i++) for (let j = i + 1; j < take; j++) sum += Math.sign(pick(j) - pick(i))
  return sum / ((take * (take - 1)) / 2)
}

/** At most `limit` points that look the same when drawn: the lowest and the highest of each of `limit / 2` buckets. */
export function decimate(track: Track, limit: number): [number, number][] {
  const { times, values } = track
  const point = (i: number): [number, number] => [times[i] ?? 0, values[i] ?? 0]
  if (times.length <= limit) return Array.from(times, (_, i) => point(i))
  const buckets = Math.max(1, Math.floor(limit / 2))
  const picked: [number, number][] = []
  for (let bucket = 0; bucket < buckets; bucket++) {
    const from = Math.floor((bucket * times.length) / buckets)
    const to = Math.floor(((bucket + 1) * times.length) / buckets)
    let [low, high] = [from, from]
    for (let i = from; i < to; i++) {
      if ((values[i] ?? 0) < (values[low] ?? 0)) low = i
      if ((values[i] ?? 0) > (values[high] ?? 0)) high = i
    }
    picked.push(point(Math.min(low, high)))
    if (low !== high) picked.push(point(Math.max(low, high)))
  }
  return picked
}

export const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))
