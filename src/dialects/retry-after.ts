// How long a provider asks to be left alone.
import type { IncomingHttpHeaders } from 'node:http'

/** Seconds, from `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3). */
export function readRetryAfter(headers: IncomingHttpHeaders): number | undefined {
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN)
  if (milliseconds >= 0) return milliseconds / 1000
  const given = headers['retry-after']
  if (given === undefined) return undefined
  const seconds = Number(given)
  if (seconds >= 0) return seconds
  const at = Date.parse(given)
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000)
}
