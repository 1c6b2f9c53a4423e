// What an error of Google means: whose fault it is, whether another target may do better, and what of it the caller may
// read. It tells in details how long to wait, and calls a wrong key an invalid argument.
import type { IncomingHttpHeaders } from 'node:http'
import { given, isObject, type Json, objectsIn, textOf } from '../../dialects/json.ts'
import { CALLERS_FAULT, kindOfRefusal, kindOfStatus, plainReason } from '../../dialects/refusals.ts'
import { readRetryAfter } from '../../dialects/retry-after.ts'
import { type FailureKind, ProviderFailure } from '../../llm/provider.ts'

/** google.rpc.Code, where it says more than the HTTP status. */
const KINDS: Readonly<Record<string, FailureKind>> = {
  UNAUTHENTICATED: 'upstream_auth',
  PERMISSION_DENIED: 'upstream_auth',
  RESOURCE_EXHAUSTED: 'upstream_rate_limited',
  DEADLINE_EXCEEDED: 'upstream_timeout',
  CANCELLED: 'upstream_5xx',
  ABORTED: 'upstream_5xx',
  INTERNAL: 'upstream_5xx',
  UNAVAILABLE: 'upstream_5xx',
  UNKNOWN: 'upstream_5xx',
}

/** Google answers 400 also where our key or our account is at fault. */
const OUR_KEY = /api.?key|billing|user location/i

/** An answer with a status other than 200. */
export function failureFromReply(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderFailure {
  return failureOf(readError(body) ?? given({ message: plainReason(body) }), status, readRetryAfter(headers))
}

/** An error told under 200: as an event of a stream or as the plain answer. */
export const failureFromError = (value: unknown): ProviderFailure => failureOf(errorIn(value))

/** A body that should have been a stream and holds no event: an error, if it is JSON that says so. */
export function failureInBody(body: Buffer): ProviderFailure {
  const said = readError(body)
  return said ? failureOf(said) : new ProviderFailure('upstream_malformed', 'the stream held no event')
}

function failureOf(error: Json | undefined, status?: number, waitSeconds?: number): ProviderFailure {
  const code = textOf(error?.['status'])
  const message = textOf(error?.['message'])
  const kind = kindOf(code, message ?? '', status ?? Number(error?.['code']))
  const retryAfterSeconds = waitSeconds ?? retryDelay(error)
  const callers = status === undefined ? CALLERS.has(kind) : CALLERS_FAULT.has(status) && kind !== 'upstream_auth'
  return new ProviderFailure(kind, `it answered ${status ?? '200 with an error'}: ${message ?? code ?? 'no message'}`, {
    ...(status === undefined ? {} : { status }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(callers ? { publicMessage: message ?? 'The provider refused the request and did not say why.' } : {}),
  })
}

const CALLERS: ReadonlySet<FailureKind> = new Set([
  'upstream_4xx',
  'upstream_context_length',
  'upstream_content_policy',
])

function kindOf(code: string | undefined, message: string, status: number): FailureKind {
  const known = code === undefined ? undefined : KINDS[code]
  if (known) return known
  const refused = code === 'INVALID_ARGUMENT' || code === 'FAILED_PRECONDITION'
  if ((refused || status === 400) && OUR_KEY.test(message)) return 'upstream_auth'
  if (refused) return kindOfRefusal(message)
  return status >= 400 ? kindOfStatus(status, message) : 'upstream_5xx'
}

/** google.rpc.RetryInfo: `"retryDelay": "34.4s"`. */
function retryDelay(error: Json | undefined): number | undefined {
  for (const detail of objectsIn(error?.['details'])) {
    const delay = textOf(detail['retryDelay'])
    const seconds = delay === undefined ? Number.NaN : Number(delay.replace(/s$/, ''))
    if (seconds >= 0) return seconds
  }
  return undefined
}

function readError(body: Buffer): Json | undefined {
  try {
    return errorIn(JSON.parse(body.toString('utf8')))
  } catch {
    return undefined
  }
}

/** `{error: {code, message, status, details}}`; a stream that was not asked for as events wraps it in a list. */
function errorIn(value: unknown): Json | undefined {
  const one: unknown = Array.isArray(value) ? value[0] : value
  if (!isObject(one)) return undefined
  return isObject(one['error']) ? one['error'] : undefined
}
