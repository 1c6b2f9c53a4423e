// What an OpenAI-shaped error means: whose fault it is, whether another target may do better, and what of it the caller
// may read. What a provider says about the caller's request is for the caller; what it says about our key is not.
import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { type FailureKind, ProviderFailure } from '../../llm/provider.ts'
import { CALLERS_FAULT, kindOfRefusal, kindOfStatus, plainReason } from '../refusals.ts'
import { readRetryAfter } from '../retry-after.ts'

const errorDetail = z.looseObject({
  message: z.string().optional().catch(undefined),
  type: z.string().nullish().catch(undefined),
  code: z.union([z.string(), z.number()]).nullish().catch(undefined),
})

/** `{error: {…}}` of OpenAI, `{error: "…"}` of Ollama, `{message: …}` of older servers, `{detail: …}` of FastAPI. */
const errorBody = z.looseObject({
  error: z
    .union([errorDetail, z.string().transform((message) => ({ message, type: undefined, code: undefined }))])
    .optional()
    .catch(undefined),
  message: z.string().optional().catch(undefined),
  detail: z
    .union([
      z.string(),
      z
        .array(z.looseObject({ loc: z.array(z.union([z.string(), z.number()])).catch([]), msg: z.string() }))
        .transform((faults) =>
          faults.map(({ loc, msg }) => `${loc.filter((at) => at !== 'body').join('.')}: ${msg}`).join('; '),
        ),
    ])
    .optional()
    .catch(undefined),
})

/** An answer with a status other than 200. */
export function failureFromReply(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderFailure {
  const said = readError(body)
  const kind = kindOfStatus(status, said.words)
  const retryAfterSeconds = readRetryAfter(headers)
  return new ProviderFailure(kind, `it answered ${status}: ${said.message ?? 'no message'}`, {
    status,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    ...(CALLERS_FAULT.has(status)
      ? {
          publicMessage: said.message ?? NO_REASON,
          reply: { status, body: said.verbatim ? body : openAiError(said.message) },
        }
      : {}),
  })
}

/** An error told under 200: as an event of a stream (then with its bytes) or as the plain answer. */
export function failureFromError(value: unknown, event?: Uint8Array): ProviderFailure {
  const { error, message } = errorBody.parse(value)
  const text = error?.message ?? message ?? 'no message'
  const kind = kindOfError(error?.code, error?.type, text)
  return new ProviderFailure(kind, `it answered 200 with an error: ${text}`, event === undefined ? {} : { event })
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

function kindOfError(
  code: string | number | null | undefined,
  type: string | null | undefined,
  message: string,
): FailureKind {
  const words = `${code ?? ''} ${type ?? ''} ${message}`
  if (Number(code) >= 400 && Number(code) < 600) return kindOfStatus(Number(code), words)
  if (/rate.?limit|quota/.test(`${code ?? ''} ${type ?? ''}`)) return 'upstream_rate_limited'
  const kind = kindOfRefusal(words)
  return kind === 'upstream_4xx' && !/invalid_request/.test(words) ? 'upstream_5xx' : kind
}

function readError(body: Buffer): { message: string | undefined; verbatim: boolean; words: string } {
  try {
    const { error, message, detail } = errorBody.parse(JSON.parse(body.toString('utf8')))
    const told = error?.message ?? message ?? detail
    return {
      message: told,
      verbatim: error?.message !== undefined && error.type !== undefined,
      words: `${error?.code ?? ''} ${error?.type ?? ''} ${told ?? ''}`,
    }
  } catch {
    const message = plainReason(body)
    return { message, verbatim: false, words: message ?? '' }
  }
}

const NO_REASON = 'The provider refused the request and did not say why.'

function openAiError(message = NO_REASON): Buffer {
  return Buffer.from(JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: null } }))
}
