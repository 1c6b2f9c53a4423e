// The times that alerts carry, as senders write them: RFC 3339 with up to nine decimals and any offset, year 1 for
// "none", and clocks that are wrong. What was sent is kept; for comparing, an impossible time gives way to ours.

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
