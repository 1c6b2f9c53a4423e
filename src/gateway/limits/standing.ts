// The `x-ratelimit-` headers of OpenAI's API, which clients already read: of all limits that a call counts against, the
// ones that are nearest.
import type { Allowance, Standing } from './limiter.ts'

export const NO_STANDING: Standing = { requests: undefined, tokens: undefined }

/** The one of two that leaves less. */
export function tighter(before: Allowance | undefined, limit: number, used: number, resetMs: number): Allowance {
  const remaining = Math.max(0, limit - used)
  return before && before.remaining <= remaining ? before : { limit, remaining, resetMs }
}

/** Adds limit, remaining and reset, for requests and for tokens, where there is such a limit. */
export function addRateLimits(headers: Record<string, string>, { requests, tokens }: Standing): void {
  if (requests) {
    headers['x-ratelimit-limit-requests'] = String(requests.limit)
    headers['x-ratelimit-remaining-requests'] = String(requests.remaining)
    headers['x-ratelimit-reset-requests'] = formatDuration(requests.resetMs)
  }
  if (tokens) {
    headers['x-ratelimit-limit-tokens'] = String(tokens.limit)
    headers['x-ratelimit-remaining-tokens'] = String(tokens.remaining)
    headers['x-ratelimit-reset-tokens'] = formatDuration(tokens.resetMs)
  }
}

/** As OpenAI writes it: `17ms`, `1s`, `6m0s`, `1h2m3s`. Fractions of a second are rounded up from one second on. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.ceil(ms))}ms`
  const seconds = Math.ceil(ms / 1000)
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = `${seconds % 60}s`
  if (hours > 0) return `${hours}h${minutes}m${rest}`
  return minutes > 0 ? `${minutes}m${rest}` : rest
}
