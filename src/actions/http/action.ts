// Carries out one entry of the action catalogue: exactly one HTTP request, never repeated from here and never
// redirected. The answer says what is known about the effect, for "it failed" and "it may have happened" differ.
import { AppError, describeError } from '../../core/errors.ts'
import type { ActionAnswer, ActionCheck } from '../answer.ts'
import { fetchOnce } from '../one-shot.ts'

export interface HttpActionRequest {
  readonly kind: 'http'
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** Sent as `idempotency-key`. */
  readonly key: string
}

/** Why a request to this address with these headers can never be sent, or undefined. Values are not repeated: they may be secret. */
export function whyUnsendable(url: string, headers: Readonly<Record<string, string>>): string | undefined {
  if (!URL.canParse(url)) return 'its address is none'
  const { username, password } = new URL(url)
  if (username !== '' || password !== '') return 'its address holds a user name or a password; use a header for them'
  const bad = Object.entries(headers).find(([name, value]) => !isHeader(name, value))
  return bad && `its header ${JSON.stringify(bad[0])} holds characters that no header can carry`
}

function isHeader(name: string, value: string): boolean {
  try {
    return new Headers([[name, value]]).has(name)
  } catch {
    return false
  }
}

export interface HttpActions {
  send(request: HttpActionRequest, signal: AbortSignal): Promise<ActionAnswer>
  check(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ActionCheck>
}

const CHECK_TIMEOUT_MS = 10_000
/** How much of an answer is read; what it says beyond is of no use to anyone. */
const MAX_ANSWER_BYTES = 4096

/** The failures that happen before a single byte of the request has left. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
])

export function createHttpActions(fetchUrl: typeof fetch = fetchOnce): HttpActions {
  return {
    async send(request, signal) {
      const unsendable = whyUnsendable(request.url, request.headers)
      if (unsendable !== undefined) return { kind: 'unsent', detail: unsendable }
      const deadline = AbortSignal.timeout(request.timeoutMs)
      try {
        const response = await fetchUrl(request.url, {
          method: request.method,
          headers: { 'content-type': 'application/json', ...request.headers, 'idempotency-key': request.key },
          body: JSON.stringify(request.body),
          redirect: 'manual',
          signal: AbortSignal.any([signal, deadline]),
        })
        const detail = `${response.status} ${await readStart(response)}`.trim()
        if (response.ok) return { kind: 'done', detail }
        // 408 and 5xx may come from something in between, after the request was passed on.
        if (response.status >= 500 || response.status === 408) return { kind: 'unclear', detail }
        return { kind: 'refused', detail }
      } catch (error) {
        if (deadline.aborted) return { kind: 'unclear', detail: `no answer within ${request.timeoutMs / 1000} s` }
        return { kind: neverLeft(error) ? 'unsent' : 'unclear', detail: describeError(error) }
      }
    },

    async check(url, headers, signal) {
      try {
        const response = await fetchUrl(url, {
          headers,
          redirect: 'manual',
          signal: AbortSignal.any([signal, AbortSignal.timeout(CHECK_TIMEOUT_MS)]),
        })
        await response.body?.cancel()
        if (response.status === 200) return { kind: 'done' }
        if (response.status === 404) return { kind: 'never' }
        return { kind: 'unclear', detail: `the check answered ${response.status}` }
      } catch (error) {
        if (signal.aborted) throw new AppError('unavailable', undefined, { cause: error })
        return { kind: 'unclear', detail: `the check could not be asked: ${describeError(error)}` }
      }
    },
  }
}

async function readStart(response: Response): Promise<string> {
  const reader = response.body?.getReader()
  if (!reader) return ''
  let text = ''
  const decoder = new TextDecoder()
  try {
    while (text.length < MAX_ANSWER_BYTES) {
      const { done, value } = await reader.read()
      if (done) break
      text += decoder.decode(value as Uint8Array, { stream: true })
    }
  } catch {
    // The status has come, and it is the status that counts.
  }
  await reader.cancel().catch(() => undefined)
  return text.slice(0, 300).replaceAll(/\s+/g, ' ').trim()
}

/** A port that browsers avoid is refused without a code. */
const neverLeft = (error: unknown): boolean =>
  UNSENT.has(codeOf(error)) ||
  (error instanceof Error && error.cause instanceof Error && error.cause.message === 'bad port')

/** The system's code of the innermost failure: fetch wraps it. */
function codeOf(error: unknown): string {
  let code = ''
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') code = at.code
  }
  return code
}
