// A counter's increase per second, as in Prometheus' rate(): between the first and the last sample inside the window,
// a fall taken as a restart from zero. Unlike Prometheus it is divided by the time those samples span, and nothing is
// extrapolated towards the edges of the window: what was not measured is not claimed.
import type { RowWindow } from './window.ts'

const scratch = { increase: new Float64Array(0), before: new Int32Array(0), after: new Int32Array(0) }

/** Adds the rate at each step to `sums`; a step whose `sums` is NaN has had nothing yet. */
export function addRates(values: Float64Array, window: RowWindow, sums: Float64Array): void {
  const { times, lastRow, firstRow } = window
  const rows = times.length
  const { increase, before, after } = room(rows)
  // before[i]: the last row up to i with a value; increase[i]: all that was counted until then.
  for (let row = 0, last = -1, counted = 0; row < rows; row++) {
    const value = values[row] as number
    if (!Number.isNaN(value)) {
      const previous = last < 0 ? value : (values[last] as number)
      counted += value < previous ? value : value - previous
      last = row
    }
    before[row] = last
    increase[row] = counted
  }
  for (let row = rows - 1, next = -1; row >= 0; row--) {
    if (!Number.isNaN(values[row])) next = row
    after[row] = next
  }
  for (let step = 0; step < sums.length; step++) {
    const lowest = firstRow[step] as number
    const highest = lastRow[step] as number
    if (highest <= lowest) continue
    const first = after[lowest] as number
    const last = before[highest] as number
    if (first < 0 || last <= first) continue
    const perSecond =
      (((increase[last] as number) - (increase[first] as number)) * 1000) /
      ((times[last] as number) - (times[first] as number))
    add(sums, step, perSecond)
  }
}

/** Adds the value that stands at each step. */
export function addValues(values: Float64Array, window: RowWindow, sums: Float64Array): void {
  for (let step = 0; step < sums.length; step++) {
    if (window.current[step] === 0) continue
    const value = values[window.lastRow[step] as number] as number
    if (!Number.isNaN(value)) add(sums, step, value)
  }
}

function add(sums: Float64Array, step: number, value: number): void {
  const sum = sums[step] as number
  sums[step] = Number.isNaN(sum) ? value : sum + value
}

// Kept between calls: a question about hundreds of series would otherwise allocate three arrays for each of them.
function room(rows: number) {
  if (scratch.increase.length < rows) {
    scratch.increase = new Float64Array(rows)
    scratch.before = new Int32Array(rows)
    scratch.after = new Int32Array(rows)
  }
  return scratch
}
