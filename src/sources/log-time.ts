// Times as logs write them, in milliseconds.
import { msOfEpoch, msOfIso } from '../core/read-time.ts'

const EARLIEST_MS = Date.UTC(1990, 0, 1)
const LATEST_MS = Date.UTC(2200, 0, 1)

/** An ISO 8601 time, or a number since the epoch whose size tells seconds, ms, µs or ns. */
export function readTime(value: unknown): number | undefined {
  if (typeof value === 'number') return fromEpoch(value)
  if (typeof value !== 'string' || value.length > 64) return undefined
  if (/^\d{9,19}(?:\.\d+)?$/.test(value)) return fromEpoch(Number(value))
  return fromIso(value)
}

/** A time at the very beginning of a line of plain text. */
export function leadingTime(line: string): number | undefined {
  const match = /^\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?)/.exec(line)
  return match?.[1] === undefined ? undefined : fromIso(match[1])
}

const fromEpoch = (value: number): number | undefined => plausible(Math.floor(msOfEpoch(value)))

const fromIso = (text: string): number | undefined => {
  const ms = msOfIso(text.trim())
  return ms === undefined ? undefined : plausible(ms)
}

const plausible = (ms: number): number | undefined => (ms >= EARLIEST_MS && ms <= LATEST_MS ? ms : undefined)
