// What an error of Anthropic means: whose fault it is, whether another target may do better, and what of it the caller
// may read. What it says about the caller's request is for the caller; what it says about our key or our bill is not.
import { Buffer } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { type FailureKind, ProviderFailure } from '../../llm/provider.ts'
import { isObject, textOf } from '../json.ts'
import { CALLERS_FAULT, kindOfRefusal, kindOfStatus, plainReason } from '../refusals.ts'
import { readRetryAfter } from '../retry-after.ts'

/** It answers 400 also where our account is empty or at its limit. */
const OUR_BILL = /credit balance|usage limits?\b|spend limit|billing/i

const KINDS: Readonly<Record<string, FailureKind>> = {
  authentication_error: 'upstream_auth',
  permission_error: 'upstream_auth',
  billing_error: 'upstream_auth',
  rate_limit_error: 'upstream_rate_limited',
  overloaded_error: 'upstream_5xx',
  api_error: 'upstream_5xx',
  timeout_error: 'upstream_timeout',
  // Too many bytes for its door; another door may be wider.
  request_too_large: 'upstream_context_length',
}

/** An answer with a status other than 200. */
export function failureFromReply(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderFailure {
  const said = readError(body)
  const kind = kindOf(said, status)
  const retryAfterSeconds = readRetryAfter(headers)
  const callers = CALLERS_FAULT.has(status) && kind !== 'upstream_auth'
  return new ProviderFailure(kind, `it answered ${status}: ${said.message ?? 'no message'}`, {
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(callers
      ? {
          publicMessage: said.message ?? NO_REASON,
          reply: { status, body: said.type !== undefined && said.message !== undefined ? body : refusal(said.message) },
        }
      : {}),
  })
}

/** An error told under 200: as an event of a stream (then with its bytes) or as the plain answer. */
export function failureFromError(value: unknown, event?: Uint8Array): ProviderFailure {
  const said = readFields(value)
  const kind = kindOf(said)
  const callers = kind === 'upstream_4xx' || kind === 'upstream_context_length' || kind === 'upstream_content_policy'
  return new ProviderFailure(kind, `it answered 200 with an error: ${said.message ?? said.type ?? 'no message'}`, {
    ...(event === undefined || kind === 'upstream_auth' ? {} : { event }),
    ...(callers && said.message !== undefined ? { publicMessage: said.message } : {}),
  })
}

/** A body that should have been a stream and holds no event: an error, if it is JSON that says so. */
export function failureInBody(body: Buffer): ProviderFailure {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    value = undefined
  }
  return isObject(value) && value['error'] !== undefined
    ? failureFromError(value)
    : new ProviderFailure('upstream_malformed', 'the stream held no event')
}

interface Said {
  readonly type: string | undefined
  readonly message: string | undefined
}

function kindOf({ type, message }: Said, status?: number): FailureKind {
  const words = `${type ?? ''} ${message ?? ''}`
  if (type === 'invalid_request_error' && OUR_BILL.test(message ?? '')) return 'upstream_auth'
  const known = type === undefined ? undefined : KINDS[type]
  if (known) return known
  if (status === 413) return 'upstream_context_length'
  if (status !== undefined) return kindOfStatus(status, words)
  return type === 'invalid_request_error' ? kindOfRefusal(words) : 'upstream_5xx'
}

/** `{type: 'error', error: {type, message}}`; also what proxies in front of it make of that. */
function readFields(value: unknown): Said {
  if (!isObject(value)) return { type: undefined, message: undefined }
  const { error } = value
  if (typeof error === 'string') return { type: undefined, message: error }
  if (!isObject(error)) return { type: undefined, message: textOf(value['message']) }
  return { type: textOf(error['type']), message: textOf(error['message']) }
}

function readError(body: Buffer): Said {
  try {
    return readFields(JSON.parse(body.toString('utf8')))
  } catch {
    return { type: undefined, message: plainReason(body) }
  }
}

const NO_REASON = 'The provider refused the request and did not say why.'

const refusal = (message = NO_REASON): Buffer =>
  Buffer.from(JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message } }))
