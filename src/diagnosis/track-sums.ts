// Arithmetic over several series by time: sums, means and ratios, each said at the times at which it can be said.
import type { Series } from '../core/telemetry.ts'
import { toTrack, type Track } from './stats.ts'

/** Sum by time; a series without a point at a time adds nothing there. */
export function sumOf(series: readonly Series[]): Track {
  const [first, ...rest] = series
  if (!first) return { times: new Float64Array(0), values: new Float64Array(0) }
  if (rest.length === 0) return toTrack(first.points)
  const tracks = series.map((one) => toTrack(one.points))
  const byTime = new Map<number, number>()
  for (const { times, values } of tracks) {
    for (let i = 0; i < times.length; i++) {
      const time = times[i] ?? 0
      byTime.set(time, (byTime.get(time) ?? 0) + (values[i] ?? 0))
    }
  }
  const times = Float64Array.from(byTime.keys()).sort()
  return { times, values: times.map((time) => byTime.get(time) ?? 0) }
}

export function meanOf(series: readonly Series[]): Track {
  const sum = sumOf(series)
  return { times: sum.times, values: sum.values.map((value) => value / series.length) }
}

/** Part over whole at the whole's times; nothing where the whole is nothing, and no part means zero. */
export function ratioOf(part: Track, whole: Track): Track {
  const byTime = new Map<number, number>()
  for (let i = 0; i < part.times.length; i++) byTime.set(part.times[i] ?? 0, part.values[i] ?? 0)
  const times: number[] = []
  const values: number[] = []
  for (let i = 0; i < whole.times.length; i++) {
    const size = whole.values[i] ?? 0
    const ratio = (byTime.get(whole.times[i] ?? 0) ?? 0) / size
    if (size <= 0 || !Number.isFinite(ratio)) continue
    times.push(whole.times[i] ?? 0)
    values.push(ratio)
  }
  return { times: Float64Array.from(times), values: Float64Array.from(values) }
}
