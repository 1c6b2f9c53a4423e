// What an error of Bedrock means: whose fault it is, whether another target may do better, and what of it the caller may
// read. It names its kind in a header, or as the type of an exception in the midst of a stream.
import type { IncomingHttpHeaders } from 'node:http'
import { isObject, textOf } from '../../dialects/json.ts'
import { CALLERS_FAULT, kindOfRefusal, kindOfStatus, plainReason } from '../../dialects/refusals.ts'
import { readRetryAfter } from '../../dialects/retry-after.ts'
import { type FailureKind, ProviderFailure } from '../../llm/provider.ts'

/** By the exception's name without its ending, in small letters: a stream writes them otherwise than a header. */
const KINDS: Readonly<Record<string, FailureKind>> = {
  accessdenied: 'upstream_auth',
  expiredtoken: 'upstream_auth',
  incompletesignature: 'upstream_auth',
  invalidsignature: 'upstream_auth',
  missingauthenticationtoken: 'upstream_auth',
  unrecognizedclient: 'upstream_auth',
  throttling: 'upstream_rate_limited',
  toomanyrequests: 'upstream_rate_limited',
  servicequotaexceeded: 'upstream_rate_limited',
  modelnotready: 'upstream_5xx',
  modeltimeout: 'upstream_timeout',
  modelerror: 'upstream_5xx',
  modelstreamerror: 'upstream_5xx',
  internalserver: 'upstream_5xx',
  internalfailure: 'upstream_5xx',
  serviceunavailable: 'upstream_5xx',
}

/** An answer with a status other than 200. */
export function failureFromReply(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderFailure {
  const { type, message = plainReason(body) } = readError(body)
  const named = headers['x-amzn-errortype']
  const name = (typeof named === 'string' ? named.split(':')[0] : undefined) ?? type?.split('#').at(-1)
  const kind = kindOf(name) ?? kindOfStatus(status, message ?? '')
  const retryAfterSeconds = readRetryAfter(headers)
  const callers = CALLERS_FAULT.has(status) && CALLERS.has(kind)
  return new ProviderFailure(kind, `it answered ${status} ${name ?? ''}: ${message ?? 'no message'}`, {
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(callers ? { publicMessage: message ?? 'The provider refused the request and did not say why.' } : {}),
  })
}

/** An exception in the midst of a stream. */
export function failureFromException(name: string, data: string): ProviderFailure {
  const { message } = readError(Buffer.from(data))
  const kind = kindOf(name) ?? (/^validation/i.test(name) ? kindOfRefusal(message ?? '') : 'upstream_5xx')
  const callers = CALLERS.has(kind) && message !== undefined
  const detail = callers ? { publicMessage: message } : {}
  return new ProviderFailure(kind, `its stream ended with ${name}: ${message ?? 'no message'}`, detail)
}

/** A body that should have been a stream and holds no message. */
export function failureInBody(body: Buffer): ProviderFailure {
  const { message } = readError(body)
  return message === undefined
    ? new ProviderFailure('upstream_malformed', 'the stream held no message')
    : new ProviderFailure('upstream_5xx', `it answered 200 with an error: ${message}`)
}

const CALLERS: ReadonlySet<FailureKind> = new Set([
  'upstream_4xx',
  'upstream_context_length',
  'upstream_content_policy',
])

const kindOf = (name: string | undefined): FailureKind | undefined =>
  KINDS[(name ?? '').replace(/Exception$/, '').toLowerCase()]

function readError(body: Buffer): { type: string | undefined; message: string | undefined } {
  try {
    const value = JSON.parse(body.toString('utf8')) as unknown
    if (!isObject(value)) return { type: undefined, message: undefined }
    return {
      type: textOf(value['__type']),
      message: textOf(value['message']) ?? textOf(value['Message']) ?? textOf(value['originalMessage']),
    }
  } catch {
    return { type: undefined, message: undefined }
  }
}
