// The times that alerts carry, as senders write them: RFC 3339 with up to nine decimals and any offset, year 1 for
// "none", and clocks that are wrong. What was sent is kept; for comparing, an impossible time gives way to ours.
import { msOfEpoch, msOfIso } from '../core/read-time.ts'

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** ms since the epoch, or undefined when the text is not such a time. */
export function parseTime(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined
  const ms = Date.parse(text.toUpperCase().replace(' ', 'T'))
  return Number.isNaN(ms) ? undefined : ms
}

/** Go's zero time, `0001-01-01T00:00:00Z`, and anything else before there were computers to watch: no time. */
export const isNoTime = (ms: number): boolean => ms <= 0

const OLDEST_BELIEVED_MS = 365 * 86_400_000

/**
 * When an alert began, for comparing it with others: never later than it was received (the sender's clock is ahead),
 * and the moment of receipt when it claims more than a year ago.
 */
export function believableStart(startsAtMs: number, receivedAtMs: number): number {
  return startsAtMs < receivedAtMs - OLDEST_BELIEVED_MS ? receivedAtMs : Math.min(startsAtMs, receivedAtMs)
}

/** A moment that somebody tells of: never later than now, and now where it is no time at all. */
export const believableMoment = (ms: number, nowMs: number): number => (isNoTime(ms) ? nowMs : Math.min(ms, nowMs))

/** The year 9999: no clock goes further. */
const LAST_MS = 253_402_300_799_999
const DIGITS = /^\d{1,20}(?:\.\d+)?$/

/**
 * A time in any of the ways in which senders write one, as ms since the epoch: numbers of seconds, milliseconds,
 * microseconds or nanoseconds, the same as text, ISO 8601 with or without a colon in its offset, and RFC 2822. A time
 * without a zone is taken as UTC. undefined where it is none of these, or says "no time".
 */
export function parseAnyTime(given: unknown): number | undefined {
  if (typeof given === 'number') return fromNumber(given)
  if (typeof given !== 'string' || given.length > 100) return undefined
  const text = given.trim()
  if (DIGITS.test(text)) return fromNumber(Number(text))
  const ms = msOfIso(text) ?? (RFC_2822.test(text) ? Date.parse(text) : Number.NaN)
  return Number.isNaN(ms) || isNoTime(ms) || ms > LAST_MS ? undefined : ms
}

const RFC_2822 = /^(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(?::\d{2})? (?:[+-]\d{4}|GMT|UTC)/

function fromNumber(given: number): number | undefined {
  if (!Number.isFinite(given) || given <= 0) return undefined
  const ms = msOfEpoch(given)
  // Small numbers are durations and counts rather than moments of 1970.
  return ms < 1e9 || ms > LAST_MS ? undefined : Math.round(ms)
}
