// HTTP to a provider, on undici's `dispatch`: the least work a chunk can cost. The answer is read at the reader's pace
// (a slow caller slows the provider, not our memory), and every way a connection can fail becomes a ProviderFailure.
import type { IncomingHttpHeaders } from 'node:http'
import { type Dispatcher, Pool } from 'undici'
import { ProviderFailure } from '../llm/provider.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** So much may wait for the reader before the socket is left unread. */
const BUFFERED_BYTES = 256 * 1024
/** How long an answer that was read to its end mark may take to end, so that its connection can be used again. */
const TAIL_MS = 1_000

export interface Wire {
  /** Throws ProviderFailure, or the signal's reason. The answer must be read to its end, released or aborted. */
  post(path: string, headers: readonly string[], body: Buffer, signal: AbortSignal): Promise<WireAnswer>
  stop(): Promise<void>
}

/** Connections to one origin. There is no limit on their number: limits are decided where calls are admitted. */
export function createWire(origin: string): Wire {
  const pool = new Pool(origin, {
    connections: null,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // The gateway's own limits are finer, and know what they wait for.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  return {
    post: async (path, headers, body, signal) => {
      signal.throwIfAborted()
      const answer = new WireAnswer(signal)
      pool.dispatch({ method: 'POST', path, headers: [...headers], body }, answer)
      await answer.started()
      return answer
    },
    stop: async () => {
      if (!pool.closed) await pool.close()
    },
  }
}

export class WireAnswer implements Dispatcher.DispatchHandler {
  status = 0
  headers: IncomingHttpHeaders = {}
  readonly #signal: AbortSignal
  #controller: Dispatcher.DispatchController | undefined
  #chunks: Buffer[] = []
  #buffered = 0
  #ended = false
  #failure: Error | undefined
  #unread = false
  #wake: (() => void) | undefined
  #tailTimer: NodeJS.Timeout | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Resolves when status and headers are there. */
  async started(): Promise<void> {
    while (this.status === 0) {
      if (this.#failure) throw this.#failure
      await this.#change()
    }
  }

  /** The body as it arrives. */
  async *chunks(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const chunk = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : this.#chunks[0]
      this.#chunks = []
      this.#buffered = 0
      if (chunk) {
        if (this.#controller?.paused) this.#controller.resume()
        yield chunk
      } else if (this.#failure) throw this.#failure
      else if (this.#ended) return
      else await this.#change()
    }
  }

  /** The whole body, or null when it is larger. */
  async whole(maxBytes: number): Promise<Buffer | null> {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of this.chunks()) {
      size += chunk.length
      if (size > maxBytes) return null
      chunks.push(chunk)
    }
    return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
  }

  /** Nobody reads on. `complete`: what mattered has arrived, so the connection may be kept if it ends soon. */
  release(complete: boolean): void {
    if (this.#ended || this.#failure) return
    if (!complete) return this.#abort(new Error('the rest of the answer is not wanted'))
    this.#unread = true
    this.#chunks = []
    if (this.#controller?.paused) this.#controller.resume()
    this.#tailTimer = setTimeout(() => this.#abort(new Error('the answer did not end after its end mark')), TAIL_MS)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#failure) controller.abort(this.#failure)
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.status = status
    this.headers = headers
    this.#wake?.()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#unread) return
    this.#chunks.push(chunk)
    this.#buffered += chunk.length
    if (this.#buffered > BUFFERED_BYTES) controller.pause()
    this.#wake?.()
  }

  onResponseEnd(): void {
    this.#ended = true
    this.#settle()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#failure ??= asFailure(error, this.#controller !== undefined)
    this.#settle()
  }

  readonly #onAbort = (): void => this.#abort(this.#signal.reason as Error)

  #abort(reason: Error): void {
    this.#failure ??= reason
    this.#controller?.abort(reason)
    this.#settle()
  }

  #settle(): void {
    clearTimeout(this.#tailTimer)
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#wake?.()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}

/** `sent`: the connection stood and the request was on its way. */
function asFailure(error: Error, sent: boolean): ProviderFailure {
  if (error.name === 'HTTPParserError') {
    return new ProviderFailure('upstream_malformed', `it does not speak HTTP: ${error.message}`, { cause: error })
  }
  return sent
    ? new ProviderFailure('upstream_cut', `the connection broke: ${error.message}`, { cause: error })
    : new ProviderFailure('upstream_unreachable', `no connection: ${error.message}`, { cause: error })
}
