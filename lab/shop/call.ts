// Calls from one service to another: one attempt, a time limit, round robin over the instances of the moment, and a
// metric for each with the peer's logical name. A failed call throws a CallError that tells what really happened.
import { Agent, request as httpRequest } from 'node:http'
import type { Endpoints } from './messages.ts'
import type { ShopMetrics } from './metrics.ts'
import { CallError } from './shop-error.ts'

export interface CallOptions {
  readonly requestId?: string | undefined
  readonly body?: unknown
  readonly timeoutMs: number
  readonly headers?: Readonly<Record<string, string>>
  /** Pins the call to one connection; the shared ones are used otherwise. */
  readonly agent?: Agent
}

export interface Caller {
  /** Resolves with the parsed JSON of a 2xx answer. */
  (peer: string, method: string, path: string, options: CallOptions): Promise<unknown>
  readonly setEndpoints: (endpoints: Endpoints) => void
  readonly close: () => void
}

export function createCaller(metrics: Pick<ShopMetrics, 'calls' | 'callSeconds'>, initial: Endpoints): Caller {
  const shared = new Agent({ keepAlive: true })
  let endpoints = initial
  // A turn for each peer: one for all falls in step with the calls of a page, and one instance gets them all.
  const turns = new Map<string, number>()

  const call = async (peer: string, method: string, path: string, options: CallOptions): Promise<unknown> => {
    const bases = endpoints[peer] ?? []
    const turn = turns.get(peer) ?? 0
    turns.set(peer, turn + 1)
    const base = bases[turn % Math.max(1, bases.length)]
    const stop = metrics.callSeconds.startTimer({ peer })
    try {
      if (base === undefined) throw new CallError(peer, 503, `no instance of ${peer} is known`)
      const answer = await send(peer, base, method, path, { agent: shared, ...options })
      metrics.calls.inc({ peer, status: String(answer.status) })
      if (answer.status >= 400) {
        const told = answer.text.slice(0, 300)
        throw new CallError(peer, 502, `${peer} answered ${answer.status} to ${method} ${path}: ${told}`, answer.status)
      }
      return JSON.parse(answer.text || 'null')
    } catch (error) {
      if (error instanceof CallError && error.answered === undefined)
        metrics.calls.inc({ peer, status: String(error.status) })
      throw error
    } finally {
      stop()
    }
  }
  return Object.assign(call, {
    setEndpoints: (now: Endpoints) => {
      endpoints = now
    },
    close: () => shared.destroy(),
  })
}

function send(
  peer: string,
  base: string,
  method: string,
  path: string,
  options: CallOptions,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const body = options.body === undefined ? undefined : JSON.stringify(options.body)
  const request = httpRequest(
    base + path,
    {
      method,
      ...(options.agent ? { agent: options.agent } : {}),
      headers: {
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        ...(options.requestId === undefined ? {} : { 'x-request-id': options.requestId }),
        ...options.headers,
      },
    },
    (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', (error) =>
        reject(new CallError(peer, 502, `${peer} broke off its answer: ${error.message}`)),
      )
    },
  )
  // One limit for the whole call: a socket's idle timeout would let a dripping answer go on for ever.
  const timer = setTimeout(() => {
    reject(new CallError(peer, 504, `no answer from ${peer} to ${method} ${path} within ${options.timeoutMs} ms`))
    request.destroy()
  }, options.timeoutMs)
  request.on('error', (error: NodeJS.ErrnoException) => {
    const refused = error.code === 'ECONNREFUSED' || error.code === 'EHOSTUNREACH'
    reject(new CallError(peer, refused ? 503 : 502, `call to ${peer} failed: ${error.message}`))
  })
  request.on('close', () => clearTimeout(timer))
  request.end(body)
  return promise
}
