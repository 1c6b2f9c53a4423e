// One question to a source over HTTP, bounded in time and in size. Whatever goes wrong is an AppError that names the source by its
// address, without the secrets in it, and says in a sentence what happened; what the source said of it is the cause.
import { fetch } from 'undici'
import { AppError } from '../core/errors.ts'
import { readBounded } from '../core/read-bounded.ts'
import type { Secret } from '../core/secret.ts'
import { endpointOf } from './endpoint.ts'

/** How the source knows who asks; a user and password may also stand in its address. */
export interface Credentials {
  readonly bearerToken?: Secret | undefined
  readonly user?: string | undefined
  readonly password?: Secret | undefined
}

export interface HttpApiOptions extends Credentials {
  /** As people call it: "Loki". */
  readonly kind: string
  /** With any path prefix; what is asked for is put behind it. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly maxBytes: number
}

export interface Question {
  /** Behind the address: `/api/v1/query`. */
  readonly path: string
  readonly parameters?: readonly (readonly [string, string])[]
  /** Sent as JSON, by POST. */
  readonly body?: unknown
}

export interface HttpApi {
  /** "Loki at http://…": the beginning of what is said of it. */
  readonly name: string
  /** The answer whatever its status; JSON is undefined where it is none. */
  ask(question: Question, signal: AbortSignal): Promise<Answer>
  /** What is thrown when an answer is not right: the name, the sentence, and what the source said. */
  fail(sentence: string, cause: unknown): AppError
}

export interface Answer {
  readonly status: number
  readonly json: unknown
  readonly text: string
  /** By their names in lower case. */
  readonly headers: { get(name: string): string | null }
}

export function connectHttpApi(options: HttpApiOptions): HttpApi {
  const endpoint = endpointOf(options.url)
  const name = `${options.kind} at ${endpoint.url.replace(/\/+$/, '')}`
  const headers = { ...options.headers, ...endpoint.headers, ...authorizationOf(options), accept: 'application/json' }

  // Whoever refuses a key likes to repeat it, and what is the cause comes into the log.
  const secrets = Object.entries(headers)
    .filter(([header]) => /authorization|key|token/i.test(header))
    .map(([, value]) => value.replace(/^(?:Bearer|Basic|ApiKey) /, ''))
    .filter((value) => value !== '')
  const hide = (cause: unknown): unknown => {
    if (!(cause instanceof Error) || !secrets.some((secret) => cause.message.includes(secret))) return cause
    return new Error(secrets.reduce((text, secret) => text.replaceAll(secret, '***'), cause.message))
  }

  return {
    name,
    fail: (sentence, cause) => new AppError('upstream', `${name} ${sentence}.`, { cause: hide(cause) }),
    async ask({ path, parameters = [], body }, signal) {
      const url = new URL(endpoint.url)
      url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`
      for (const [key, value] of parameters) url.searchParams.append(key, value)
      const timeout = AbortSignal.timeout(options.timeoutMs)
      try {
        const reply = await fetch(url, {
          headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
          // A redirect would carry keys that are headers of their own, and the question, to whomever it names.
          redirect: 'manual',
          signal: AbortSignal.any([signal, timeout]),
          ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
        })
        const text = await readBounded(reply.body, options.maxBytes)
        if (text === undefined)
          throw new AppError('upstream', `${name} answered with more than ${options.maxBytes} bytes. Ask for less.`)
        return { status: reply.status, json: parseJson(text), text, headers: reply.headers }
      } catch (error) {
        signal.throwIfAborted()
        if (timeout.aborted)
          throw new AppError('deadline', `${name} did not answer within ${options.timeoutMs} ms.`, { cause: error })
        if (error instanceof AppError) throw error
        throw new AppError('upstream', `${name} cannot be reached.`, { cause: error })
      }
    },
  }
}

/**
 * What `read` makes of a good answer. Another status, no JSON, or a shape that `read` throws on is a failure; `refusalOf` finds
 * what the source says of it.
 */
export function readAnswer<T>(
  api: HttpApi,
  { status, json, text }: Pick<Answer, 'status' | 'json' | 'text'>,
  read: (json: unknown) => T,
  refusalOf: (json: unknown) => string | undefined = () => undefined,
): T {
  const refusal = refusalOf(json)
  if (status < 200 || status > 299 || refusal !== undefined) {
    const sentence =
      status === 401 || status === 403
        ? `answered ${status}: its credentials are not accepted`
        : status >= 300 && status < 400
          ? `answered ${status}: it sends us elsewhere, which is not followed. Put the address where it is into the config`
          : `answered ${status}`
    throw api.fail(sentence, new Error((refusal ?? text).slice(0, 500)))
  }
  if (json === undefined) throw api.fail('answered something that is not JSON', new Error(text.slice(0, 200)))
  try {
    return read(json)
  } catch (error) {
    throw api.fail('answered in a shape that is not its API', error)
  }
}

function authorizationOf({ bearerToken, user, password }: Credentials): Record<string, string> {
  if (bearerToken) return { authorization: `Bearer ${bearerToken.reveal()}` }
  if (user === undefined) return {}
  return { authorization: `Basic ${Buffer.from(`${user}:${password?.reveal() ?? ''}`).toString('base64')}` }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
