// How long a provider asks to be left alone.
import type { IncomingHttpHeaders } from 'node:http'
import { readRetryAfter as readSeconds } from '../core/retry-after.ts'

/** Who asks for more is not taken at its word: a caller would be told never to come again. */
const LONGEST_S = 24 * 3600

/** Seconds, from `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3); a day at most. */
export function readRetryAfter(headers: IncomingHttpHeaders): number | undefined {
  const seconds = secondsIn(headers)
  return seconds === undefined ? undefined : Math.min(LONGEST_S, seconds)
}

function secondsIn(headers: IncomingHttpHeaders): number | undefined {
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN)
  if (milliseconds >= 0) return milliseconds / 1000
  const given = headers['retry-after']
  return given === undefined ? undefined : readSeconds(given)
}
