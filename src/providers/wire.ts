// HTTP to a provider, on undici's `dispatch`: the least work a chunk can cost. What arrives is handed on in the same turn;
// the receiver may ask to wait (a slow caller slows the provider, not our memory), and every way a connection can fail
// becomes a ProviderFailure.
import type { IncomingHttpHeaders } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { ProviderFailure } from '../llm/provider.ts'
import { connectWithoutContinue } from './interim.ts'

/** Longer than any wait for a connection that a model's config asks for by default; the finer limit is the attempt's. */
const CONNECT_TIMEOUT_MS = 30_000
/** How long an answer that was read to its end mark may take to end, so that its connection can be used again. */
const TAIL_MS = 1_000

/** Takes one answer as it comes. What it throws ends the call and is what `post` throws. */
export interface Receiver {
  /** The connection stands, the request is being sent. */
  connected(): void
  head(status: number, headers: IncomingHttpHeaders): void
  /** `enough`: the rest is not wanted, but may come. A promise: nothing more is read until it resolves. */
  data(chunk: Buffer): Promise<void> | 'enough' | undefined
}

export interface Wire {
  /**
   * Resolves at the end of the answer, or when the receiver has enough. Throws what the receiver throws, ProviderFailure,
   * or the signal's reason.
   */
  post(path: string, headers: readonly string[], body: Buffer, receiver: Receiver, signal: AbortSignal): Promise<void>
  stop(): Promise<void>
}

/** Connections to one origin. There is no limit on their number: limits are decided where calls are admitted. */
export function createWire(origin: string): Wire {
  const pool = new Pool(origin, {
    connections: null,
    pipelining: 1,
    connect: connectWithoutContinue({ timeout: CONNECT_TIMEOUT_MS }),
    // The gateway's own limits are finer, and know what they wait for.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return {
    post: (path, headers, body, receiver, signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error)
        const exchange = new WireExchange(receiver, signal, resolve, reject)
        pool.dispatch({ method: 'POST', path, headers: headers as string[], body }, exchange)
      }),
    stop: async () => {
      if (!pool.closed) await pool.close()
    },
  }
}

class WireExchange implements Dispatcher.DispatchHandler {
  readonly #receiver: Receiver
  readonly #signal: AbortSignal
  readonly #resolve: () => void
  readonly #reject: (error: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #settled = false
  #tailTimer: NodeJS.Timeout | undefined

  constructor(receiver: Receiver, signal: AbortSignal, resolve: () => void, reject: (error: unknown) => void) {
    this.#receiver = receiver
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this.#onAbort)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#settled) controller.abort(GONE)
    else this.#receiver.connected()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200 || this.#settled) return
    try {
      this.#receiver.head(status, headers)
    } catch (error) {
      this.#fail(error)
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return
    try {
      const answer = this.#receiver.data(chunk)
      if (answer === undefined) return
      if (answer === 'enough') return this.#enough()
      controller.pause()
      const resume = () => controller.resume()
      answer.then(resume, resume)
    } catch (error) {
      this.#fail(error)
    }
  }

  onResponseEnd(): void {
    clearTimeout(this.#tailTimer)
    if (this.#settle()) this.#resolve()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    clearTimeout(this.#tailTimer)
    if (this.#settle()) this.#reject(asFailure(error, this.#controller !== undefined))
  }

  readonly #onAbort = (): void => this.#fail(this.#signal.reason)

  #fail(reason: unknown): void {
    if (!this.#settle()) return
    this.#reject(reason)
    this.#controller?.abort(GONE)
  }

  /** What mattered has arrived; if the rest ends soon, the connection can be used again. */
  #enough(): void {
    if (!this.#settle()) return
    this.#resolve()
    this.#tailTimer = setTimeout(() => this.#controller?.abort(GONE), TAIL_MS)
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#signal.removeEventListener('abort', this.#onAbort)
    return true
  }
}

const GONE = new Error('the rest of the answer is not wanted')

/** `sent`: the connection stood and the request was on its way. */
function asFailure(error: Error, sent: boolean): ProviderFailure {
  if (error.name === 'HTTPParserError') {
    return new ProviderFailure('upstream_malformed', `it does not speak HTTP: ${error.message}`, { cause: error })
  }
  return sent
    ? new ProviderFailure('upstream_cut', `the connection broke: ${error.message}`, { cause: error })
    : new ProviderFailure('upstream_unreachable', `no connection: ${error.message}`, { cause: error })
}
