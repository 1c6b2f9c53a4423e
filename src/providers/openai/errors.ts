// What an OpenAI-shaped error means: whose fault it is, whether another target may do better, and what of it the caller
// may read. What a provider says about the caller's request is for the caller; what it says about our key is not.
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { type FailureKind, ProviderFailure } from '../../llm/provider.ts'

const errorDetail = z.looseObject({
  message: z.string().optional().catch(undefined),
  type: z.string().nullish().catch(undefined),
  code: z.union([z.string(), z.number()]).nullish().catch(undefined),
})

/** `{error: {…}}` of OpenAI, `{error: "…"}` of Ollama, `{message: …}` of older servers. */
const errorBody = z.looseObject({
  error: z
    .union([errorDetail, z.string().transform((message) => ({ message, type: undefined, code: undefined }))])
    .optional()
    .catch(undefined),
  message: z.string().optional().catch(undefined),
})

const CALLERS_FAULT = new Set([400, 413, 415, 422])

/** An answer with a status other than 200. */
export function failureFromReply(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderFailure {
  const said = readError(body)
  const kind = kindOfStatus(status)
  const retryAfterSeconds = readRetryAfter(headers)
  return new ProviderFailure(kind, `it answered ${status}: ${said.message ?? 'no message'}`, {
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(CALLERS_FAULT.has(status) ? { reply: { status, body: said.verbatim ? body : openAiError(said.message) } } : {}),
  })
}

/** An error told under 200: as an event of a stream (then with its bytes) or as the plain answer. */
export function failureFromError(value: unknown, event?: Uint8Array): ProviderFailure {
  const { error, message } = errorBody.parse(value)
  const text = error?.message ?? message ?? 'no message'
  return new ProviderFailure(
    kindOfError(error?.code, error?.type),
    `it answered 200 with an error: ${text}`,
    event === undefined ? {} : { event },
  )
}

/** A body that should have been a stream and holds no event: an error, if it is JSON that says so. */
export function failureInBody(body: Buffer): ProviderFailure {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch {
    value = undefined
  }
  return errorBody.safeParse(value).data?.error === undefined
    ? new ProviderFailure('upstream_malformed', 'the stream held no event')
    : failureFromError(value)
}

function kindOfStatus(status: number): FailureKind {
  if (status === 401 || status === 403) return 'upstream_auth'
  if (status === 408) return 'upstream_timeout'
  if (status === 429) return 'upstream_rate_limited'
  if (status >= 500) return 'upstream_5xx'
  return status >= 400 ? 'upstream_4xx' : 'upstream_malformed'
}

function kindOfError(code: string | number | null | undefined, type: string | null | undefined): FailureKind {
  if (Number(code) >= 400 && Number(code) < 600) return kindOfStatus(Number(code))
  const words = `${code ?? ''} ${type ?? ''}`
  if (/rate.?limit|quota/.test(words)) return 'upstream_rate_limited'
  if (/invalid_request|context_length|content_filter/.test(words)) return 'upstream_4xx'
  return 'upstream_5xx'
}

function readError(body: Buffer): { message: string | undefined; verbatim: boolean } {
  try {
    const { error, message } = errorBody.parse(JSON.parse(body.toString('utf8')))
    return { message: error?.message ?? message, verbatim: error?.message !== undefined && error.type !== undefined }
  } catch {
    return { message: undefined, verbatim: false }
  }
}

function openAiError(message: string | undefined): Buffer {
  const text = message ?? 'The provider refused the request and did not say why.'
  return Buffer.from(
    JSON.stringify({ error: { message: text, type: 'invalid_request_error', param: null, code: null } }),
  )
}

/** Seconds, from `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3). */
function readRetryAfter(headers: IncomingHttpHeaders): number | undefined {
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN)
  if (milliseconds >= 0) return milliseconds / 1000
  const given = headers['retry-after']
  if (given === undefined) return undefined
  const seconds = Number(given)
  if (seconds >= 0) return seconds
  const at = Date.parse(given)
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000)
}
