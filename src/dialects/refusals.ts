// What a provider means by refusing a request. Codes differ and half the servers have none, so the words decide too.
import type { Buffer } from 'node:buffer'
import type { FailureKind } from '../llm/provider.ts'

const TOO_LONG =
  /context.?length|context.?window|maximum context|prompt is too long|input is too long|too many (?:input )?tokens|exceed context limit|exceeds? the (?:maximum|limit).{0,40}tokens|input token count/i
const FORBIDDEN =
  /content.?(?:filter|policy|management)|responsible.?ai|safety system|usage polic|blocked.{0,30}safety/i

/** The kind of a 4xx about the request itself. `words`: code, type and message together. */
export function kindOfRefusal(words: string): FailureKind {
  if (TOO_LONG.test(words)) return 'upstream_context_length'
  if (FORBIDDEN.test(words)) return 'upstream_content_policy'
  return 'upstream_4xx'
}

/** The statuses by which a provider finds fault with the request, and not with us or itself. */
export const CALLERS_FAULT: ReadonlySet<number> = new Set([400, 413, 415, 422])

export function kindOfStatus(status: number, words: string): FailureKind {
  if (CALLERS_FAULT.has(status)) return kindOfRefusal(words)
  if (status === 401 || status === 403) return 'upstream_auth'
  if (status === 408) return 'upstream_timeout'
  if (status === 429) return 'upstream_rate_limited'
  if (status >= 500) return 'upstream_5xx'
  return status >= 400 ? 'upstream_4xx' : 'upstream_malformed'
}

const LONGEST_REASON = 500

/** The reason in a body that is no JSON, or a text in quotes: in one line, and not too much of it; none in a page of HTML. */
export function plainReason(body: Buffer): string | undefined {
  // A character may take four bytes, and white space goes away.
  const whole = body
    .subarray(0, 8 * LONGEST_REASON)
    .toString('utf8')
    .trim()
  const text = /^"[^"\\]*"$/.test(whole) ? whole.slice(1, -1) : whole
  if (/^[<{[]/.test(text)) return undefined
  // oxlint-disable-next-line no-control-regex -- they are what must not be in it
  const line = text.replaceAll(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  // What is no text may still hold letters; where the body was cut, half a character is no sign of that.
  if (!/\p{L}/u.test(line) || line.slice(0, LONGEST_REASON).includes('\ufffd')) return undefined
  return line.length <= LONGEST_REASON ? line : `${line.slice(0, LONGEST_REASON).replace(/[\ud800-\udbff]$/, '')}…`
}
