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

/** The `data` of an answer, unchecked. */
export type PrometheusApi = (path: string, parameters: [string, string][], signal: AbortSignal) => Promise<unknown>

const envelope = z.discriminatedUnion('status', [
  z.object({ status: z.literal('success'), data: z.unknown() }),
  z.object({ status: z.literal('error'), errorType: z.string().default(''), error: z.string().default('') }),
])

export function connectApi(options: ApiOptions): PrometheusApi {
  const endpoint = endpointOf(options.url)
  const name = `Prometheus at ${endpoint.url.replace(/\/+$/, '')}`
  const token = options.bearerToken
  const authorization = token ? { authorization: `Bearer ${token.reveal()}` } : {}

  return async (path, parameters, signal) => {
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
      return unwrap(body, reply.status, name)
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

function unwrap(body: string, status: number, name: string): unknown {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch (error) {
    const sentence = status === 200 ? 'answered something that is not JSON' : `answered ${status}`
    throw new AppError('upstream', `${name} ${sentence}.`, { cause: new Error(body.slice(0, 200), { cause: error }) })
  }
  const reply = envelope.safeParse(json)
  if (reply.success && reply.data.status === 'success' && status === 200) return reply.data.data
  const said = reply.success && reply.data.status === 'error' ? `${reply.data.errorType}: ${reply.data.error}` : body
  const sentence = status === 200 ? 'answered in a shape that is not its API' : `answered ${status}`
  throw new AppError('upstream', `${name} ${sentence}.`, { cause: new Error(said.slice(0, 500)) })
}
