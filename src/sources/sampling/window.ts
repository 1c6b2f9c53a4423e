// One target's rows as a question needs them: the times in reach of a range, and for each step which rows it looks
// at. All series of a target share this, which is what makes a question about many of them cheap.
import type { TimeRange } from '../../core/telemetry.ts'
import type { Chunk, StoredSeries, TargetRows } from './store.ts'

export interface Reach {
  /** How old the last sample may be to stand for now. */
  readonly lookbackMs: number
  /** How far rates look back. */
  readonly windowMs: number
}

export interface RowWindow {
  readonly times: Float64Array
  /** For each step the last row at or before it, or -1. */
  readonly lastRow: Int32Array
  /** For each step whether that row is recent enough to stand for now. */
  readonly current: Uint8Array
  /** For each step the first row inside the rate's window. */
  readonly firstRow: Int32Array
  readonly slices: readonly { readonly chunk: Chunk; readonly from: number; readonly to: number; readonly at: number }[]
}

export const stepCount = ({ fromMs, toMs, stepMs }: TimeRange): number =>
  toMs < fromMs ? 0 : Math.floor((toMs - fromMs) / stepMs) + 1

/** The rows of a target that any step of the range can see. */
export function rowWindow(target: TargetRows, range: TimeRange, reach: Reach): RowWindow {
  const reachMs = range.fromMs - Math.max(reach.lookbackMs, reach.windowMs)
  const slices = []
  let rows = 0
  for (const chunk of target.chunks) {
    const from = lowerBound(chunk.times, chunk.rows, reachMs)
    const to = lowerBound(chunk.times, chunk.rows, range.toMs + 1)
    if (to <= from) continue
    slices.push({ chunk, from, to, at: rows })
    rows += to - from
  }
  const times = new Float64Array(rows)
  for (const { chunk, from, to, at } of slices) times.set(chunk.times.subarray(from, to), at)

  const steps = stepCount(range)
  const lastRow = new Int32Array(steps)
  const firstRow = new Int32Array(steps)
  const current = new Uint8Array(steps)
  for (let step = 0, last = -1, first = 0; step < steps; step++) {
    const nowMs = range.fromMs + step * range.stepMs
    while (last + 1 < rows && (times[last + 1] as number) <= nowMs) last++
    while (first < rows && (times[first] as number) < nowMs - reach.windowMs) first++
    lastRow[step] = last
    firstRow[step] = first
    current[step] = last >= 0 && (times[last] as number) > nowMs - reach.lookbackMs ? 1 : 0
  }
  return { times, lastRow, current, firstRow, slices }
}

/** A series over the rows of its target's window; NaN where it has no value. False when it has none at all. */
export function readColumn(series: StoredSeries, window: RowWindow, into: Float64Array): boolean {
  into.fill(Number.NaN, 0, window.times.length)
  let found = false
  let column = 0
  for (const { chunk, from, to, at } of window.slices) {
    while (column < series.columns.length && startOf(series.columns[column]?.chunk) < startOf(chunk)) column++
    const held = series.columns[column]
    if (held?.chunk !== chunk) continue
    found = true
    if (typeof held.values === 'number') into.fill(held.values, at, at + to - from)
    else into.set(held.values.subarray(from, to), at)
  }
  return found
}

/** Whether a series has a value between two times, both included. */
export function hasSample(series: StoredSeries, fromMs: number, toMs: number): boolean {
  return series.columns.some(({ chunk, values }) => {
    const from = lowerBound(chunk.times, chunk.rows, fromMs)
    const to = lowerBound(chunk.times, chunk.rows, toMs + 1)
    if (to <= from) return false
    if (typeof values === 'number') return true
    for (let row = from; row < to; row++) if (!Number.isNaN(values[row])) return true
    return false
  })
}

const startOf = (chunk: Chunk | undefined): number => chunk?.times[0] ?? Number.POSITIVE_INFINITY

/** The first of `rows` ascending times that is not before `ms`. */
function lowerBound(times: Float64Array, rows: number, ms: number): number {
  let low = 0
  let high = rows
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] as number) < ms) low = middle + 1
    else high = middle
  }
  return low
}
