// One request to a vendor that people are told through, bounded in time and in size. Whatever goes wrong is an AppError whose
// sentence says what to do. What the vendor says is quoted as the stranger's text that it is, and never with our secrets in it.
import { fetchOnce } from '../../actions/one-shot.ts'
import { AppError } from '../../core/errors.ts'
import { readBounded } from '../../core/read-bounded.ts'
import { readRetryAfter } from '../../core/retry-after.ts'
import type { Secret } from '../../core/secret.ts'
import { tellPlainly } from '../told-text.ts'

export interface VendorApiOptions {
  /** As people call it: "Jira". */
  readonly kind: string
  /** With any path prefix; a path is put behind it. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** What must not be quoted, whoever says it. */
  readonly secrets: readonly Secret[]
  readonly timeoutMs?: number
  readonly fetch?: typeof fetch
}

export interface VendorCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT'
  /** Behind the address, with its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface VendorAnswer {
  readonly status: number
  readonly headers: Headers
  /** Undefined where the body is no JSON. */
  readonly json: unknown
  readonly text: string
}

export interface VendorApi {
  readonly kind: string
  /** "Jira at https://…". */
  readonly name: string
  /** The answer whatever its status. Throws `deadline` or `upstream`: then nobody knows whether it arrived. */
  call(call: VendorCall, signal: AbortSignal): Promise<VendorAnswer>
  /** Text of the vendor, for one of our sentences. */
  quote(text: string): string
}

const TIMEOUT_MS = 20_000
const MAX_BYTES = 8_000_000
const MAX_QUOTE = 400
/** Tokens that are made anew each hour. */
const MOST_HIDDEN = 20

export function connectVendorApi(options: VendorApiOptions): VendorApi {
  const { kind, secrets, timeoutMs = TIMEOUT_MS, fetch: fetchUrl = fetchOnce } = options
  const base = new URL(options.url)
  base.username = ''
  base.password = ''
  const root = `${base.origin}${base.pathname.replace(/\/+$/, '')}`
  const name = `${kind} at ${root}`
  const hidden = new Set(secrets.map((secret) => secret.reveal()))
  /** In the form in which it was sent, too: whoever refuses it likes to repeat it. */
  const hide = (headers: Readonly<Record<string, string>> | undefined): void => {
    const sent = headers?.['authorization']?.replace(/^\S+\s+/, '')
    if (sent === undefined || hidden.has(sent)) return
    hidden.add(sent)
    const [oldest] = [...hidden].slice(secrets.length)
    if (hidden.size > secrets.length + MOST_HIDDEN && oldest !== undefined) hidden.delete(oldest)
  }
  hide(options.headers)
  return {
    kind,
    name,
    quote: (text) => {
      let quoted = text
      for (const secret of hidden) quoted = quoted.replaceAll(secret, '***')
      return tellPlainly(quoted.replaceAll(/\s+/g, ' ').trim()).slice(0, MAX_QUOTE).toWellFormed()
    },
    async call({ method, path, headers, body }, signal) {
      hide(headers)
      const timeout = AbortSignal.timeout(timeoutMs)
      try {
        const reply = await fetchUrl(`${root}${path}`, {
          method,
          headers: {
            accept: 'application/json',
            'user-agent': 'midwatch',
            ...options.headers,
            ...headers,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          // A redirect would carry the credentials elsewhere.
          redirect: 'manual',
          signal: AbortSignal.any([signal, timeout]),
        })
        const text = await readBounded(reply.body as AsyncIterable<unknown> | null, MAX_BYTES)
        if (text === undefined) throw new AppError('upstream', `${name} answered with more than ${MAX_BYTES} bytes.`)
        return { status: reply.status, headers: reply.headers, json: parseJson(text), text }
      } catch (error) {
        signal.throwIfAborted()
        if (timeout.aborted)
          throw new AppError('deadline', `${name} did not answer within ${timeoutMs} ms. It is asked again.`)
        if (error instanceof AppError) throw error
        throw new AppError('upstream', `${name} could not be reached. It is asked again.`, { cause: error })
      }
    },
  }
}

export interface RefusalWords {
  /** What the vendor says of it; the body's beginning unless told. */
  readonly said?: string | undefined
  /** What to do, by status: a part of a sentence. */
  readonly advice?: Readonly<Record<number, string>>
  /** Seconds until it may be asked again, where the answer says so elsewhere than in `retry-after`. */
  readonly waitSeconds?: number | undefined
}

/** What is thrown for an answer that is none of the good ones. */
export function refusalOf(api: VendorApi, answer: VendorAnswer, words: RefusalWords = {}): AppError {
  const { status, headers, text } = answer
  const quoted = api.quote(words.said ?? text)
  const said = quoted === '' ? '' : ` It says: ${quoted}`
  const waitSeconds = words.waitSeconds ?? retryAfterOf(headers)
  const wait = waitSeconds === undefined ? {} : { retryAfterSeconds: waitSeconds }
  const advice = words.advice?.[status]
  if (status === 429 || words.waitSeconds !== undefined) {
    const when = waitSeconds === undefined ? 'later' : `in ${waitSeconds} s`
    return new AppError(
      'limited',
      `${api.name} asks to be asked less often (${status}); it is asked again ${when}.`,
      wait,
    )
  }
  const what =
    advice ??
    (status >= 500
      ? 'it is asked again until it works'
      : status >= 300 && status < 400
        ? 'it sends us elsewhere, which is not followed: check the address in the config'
        : 'check the address and the settings in the config')
  return new AppError('upstream', `${api.name} answered ${status}: ${what}.${said}`, wait)
}

/** Seconds or a date (RFC 9110, 10.2.3), at most an hour. */
export function retryAfterOf(headers: Headers): number | undefined {
  const given = headers.get('retry-after')
  const seconds = given === null ? undefined : readRetryAfter(given)
  return seconds === undefined ? undefined : Math.min(3600, Math.max(1, Math.ceil(seconds)))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
