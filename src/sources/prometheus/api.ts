// Prometheus' HTTP API: one call, bounded in time and size. Every failure is an AppError that names the source, with
// what Prometheus said as its cause.
import { fetch } from 'undici'
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import { endpointOf } from '../endpoint.ts'

export interface ApiOptions {
  /** With any path prefix; `/api/v1/…` is put behind it. */
  readonly url: string
  readonly bearerToken?: Secret | undefined
  readonly timeoutMs: number
  readonly maxBytes: number
}

/** The `data` of an answer, as `read` makes it out; what `read` throws is a failure of the source. */
export type PrometheusApi = <T>(
  path: string,
  parameters: readonly (readonly [string, string])[],
  read: (data: unknown) => T,
  signal: AbortSignal,
) => Promise<T>

const envelope = z.object({
  status: z.enum(['success', 'error']),
  data: z.unknown().optional(),
  errorType: z.string().default(''),
  error: z.string().default(''),
})

export function connectApi(options: ApiOptions): PrometheusApi {
  const endpoint = endpointOf(options.url)
  const name = `Prometheus at ${endpoint.url.replace(/\/+$/, '')}`
  const token = options.bearerToken
  const authorization = token ? { authorization: `Bearer ${token.reveal()}` } : {}

  return async (path, parameters, read, signal) => {
    const url = new URL(endpoint.url)
    url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/${path}`
    for (const [key, value] of parameters) url.searchParams.append(key, value)
    const timeout = AbortSignal.timeout(options.timeoutMs)
    try {
      const reply = await fetch(url, {
        headers: { ...endpoint.headers, ...authorization, accept: 'application/json' },
        signal: AbortSignal.any([signal, timeout]),
      })
      const body = await readBounded(reply.body, options.maxBytes)
      if (body === undefined) {
        throw new AppError('upstream', `${name} answered with more than ${options.maxBytes} bytes. Ask for less.`)
      }
      return unwrap(body, reply.status, name, read)
    } catch (error) {
      signal.throwIfAborted()
      if (timeout.aborted) {
        throw new AppError('deadline', `${name} did not answer within ${options.timeoutMs} ms.`, { cause: error })
      }
      if (error instanceof AppError) throw error
      throw new AppError('upstream', `${name} cannot be reached.`, { cause: error })
    }
  }
}

async function readBounded(body: AsyncIterable<unknown> | null, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function unwrap<T>(body: string, status: number, name: string, read: (data: unknown) => T): T {
  const fail = (sentence: string, cause: unknown) => new AppError('upstream', `${name} ${sentence}.`, { cause })
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    const sentence = status === 200 ? 'answered something that is not JSON' : `answered ${status}`
    throw fail(sentence, new Error(body.slice(0, 200)))
  }
  const reply = envelope.safeParse(json)
  if (reply.data?.status === 'error') throw fail(`answered ${status}`, new Error(refusal(reply.data)))
  if (status !== 200) throw fail(`answered ${status}`, new Error(body.slice(0, 200)))
  try {
    return read(envelope.parse(json).data)
  } catch (error) {
    throw fail('answered in a shape that is not its API', error)
  }
}

const refusal = ({ errorType, error }: { errorType: string; error: string }) => `${errorType}: ${error}`.slice(0, 500)
