// How long a peer asks to be left alone, in the header that all of them use for it.

/** `retry-after`, seconds or a date (RFC 9110, 10.2.3), as seconds from now; undefined where it is neither. */
export function readRetryAfter(given: string): number | undefined {
  const seconds = Number(given)
  if (seconds >= 0) return seconds
  const at = Date.parse(given)
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000)
}
