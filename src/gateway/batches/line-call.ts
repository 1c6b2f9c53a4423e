// One request of a batch, asked like any other call of its owner, and its outcome as a line of the batch's files.
import type { Caller } from '../../core/caller.ts'
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Audience } from '../audience.ts'
import type { Gateway } from '../gateway.ts'
import type { ErrorType, Outcome } from '../outcome.ts'
import type { BatchEndpoint } from './endpoints.ts'
import type { Verdict } from './journal.ts'
import type { LineRequest } from './read-line.ts'

export interface LineAnswer {
  readonly verdict: Verdict
  readonly line: Buffer
  /** Asking again may do better. `afterMs`: when; null: nobody said. */
  readonly again: { readonly who: 'us' | 'provider'; readonly afterMs: number | null } | null
}

export interface LineCall {
  readonly gateway: Pick<Gateway, 'serve'>
  readonly endpoint: BatchEndpoint
  readonly caller: Caller
  readonly request: LineRequest
  readonly purpose: string
  readonly signal: AbortSignal
}

export async function askLine({ gateway, endpoint, caller, request, purpose, signal }: LineCall): Promise<LineAnswer> {
  const requestId = newId('req')
  const pieces: Uint8Array[] = []
  const audience: Audience = {
    begin: () => undefined,
    write: (frames) => {
      for (const { bytes } of frames) pieces.push(bytes)
      return undefined
    },
  }
  const call = { dialect: endpoint.dialect, body: request.body, caller, requestId, signal, purpose }
  const outcome = await gateway.serve(call, audience)
  const again = againOf(outcome)
  const answer = (verdict: Verdict, response: string, error = 'null'): LineAnswer => ({
    verdict,
    line: lineOf(request.customId, response, error),
    again,
  })
  switch (outcome.kind) {
    case 'served':
      return answer('completed', responseOf(requestId, 200, oneLine(Buffer.concat(pieces))))
    case 'refused':
    case 'failed': {
      if (TIMED_OUT.has(outcome.errorType))
        return answer('failed', 'null', codeOf('request_timeout', outcome.error.message))
      const reply = outcome.kind === 'failed' ? outcome.reply : undefined
      const body = reply ? jsonOf(reply.body) : JSON.stringify(endpoint.dialect.errorBody(outcome.error, requestId))
      return answer('failed', responseOf(requestId, reply?.status ?? outcome.error.status, body))
    }
    case 'abandoned':
      throw signal.reason ?? new Error('a batch does not hang up')
  }
}

/** To a request whose owner is not let in any more. */
export function revokedAnswer({ dialect }: BatchEndpoint, customId: string): LineAnswer {
  const requestId = newId('req')
  const error = new AppError('unauthenticated', 'The key that made this batch is revoked.')
  const body = JSON.stringify(dialect.errorBody(error, requestId))
  return { verdict: 'failed', line: lineOf(customId, responseOf(requestId, error.status, body), 'null'), again: null }
}

const responseOf = (requestId: string, status: number, body: string): string =>
  `{"status_code":${status},"request_id":${JSON.stringify(requestId)},"body":${body}}`

/** A request that was not asked. */
export const unaskedLine = (customId: string, code: 'batch_expired' | 'batch_cancelled'): Buffer =>
  lineOf(customId, 'null', codeOf(code, UNASKED[code]))

const UNASKED = {
  batch_expired: 'This request could not be executed before the completion window expired.',
  batch_cancelled: 'The batch was cancelled before this request was executed.',
}

const TIMED_OUT: ReadonlySet<ErrorType> = new Set(['deadline', 'upstream_timeout'])

const codeOf = (code: string, message: string): string => JSON.stringify({ code, message })

function lineOf(customId: string, response: string, error: string): Buffer {
  const id = JSON.stringify(newId('batch_req'))
  return Buffer.from(`{"id":${id},"custom_id":${JSON.stringify(customId)},"response":${response},"error":${error}}\n`)
}

/** JSON holds an end of line only between its values, where a space says the same. */
const oneLine = (json: Uint8Array): string =>
  Buffer.from(json)
    .toString('utf8')
    .replaceAll(/[\r\n]/g, ' ')

/** Some proxies refuse in words that are no JSON. */
function jsonOf(body: Uint8Array): string {
  const text = Buffer.from(body).toString('utf8')
  try {
    JSON.parse(text)
    return oneLine(body)
  } catch {
    return JSON.stringify(text)
  }
}

/** A limit that holds for longer than this is a budget that is spent, and no reason to wait. */
const LONGEST_LIMIT_S = 600

const OF_A_PROVIDER: ReadonlySet<ErrorType> = new Set([
  'upstream_rate_limited',
  'upstream_5xx',
  'upstream_timeout',
  'upstream_unreachable',
  'upstream_cut',
  'upstream_malformed',
  'deadline',
])
const OF_US: ReadonlySet<ErrorType> = new Set(['overloaded', 'unrecorded', 'breaker_open', 'stopping'])

function againOf(outcome: Outcome): LineAnswer['again'] {
  if (outcome.kind !== 'refused' && outcome.kind !== 'failed') return null
  const { errorType, error } = outcome
  const afterMs = error.retryAfterSeconds === undefined ? null : error.retryAfterSeconds * 1000
  if (outcome.kind === 'refused' && error.code === 'limited') {
    return afterMs === null || afterMs > LONGEST_LIMIT_S * 1000 ? null : { who: 'us', afterMs }
  }
  if (OF_US.has(errorType)) return { who: 'us', afterMs }
  return OF_A_PROVIDER.has(errorType) ? { who: 'provider', afterMs } : null
}
