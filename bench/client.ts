// The one caller that all subjects are called by: `undici.dispatch` with the least of a handler, so that it takes little
// from the processors that it shares with what it measures, and takes the same whoever answers.
import { type Dispatcher, Pool } from 'undici'
import { plainBody, streamBody } from './workload.ts'

const PATH = '/v1/chat/completions'

export interface Door {
  readonly pool: Pool
  readonly headers: Readonly<Record<string, string>>
}

export interface Answered {
  /** Until the first bytes of the body, and until its end. */
  readonly firstMs: number
  readonly tookMs: number
}

/** Who is silent for half a minute has failed. */
const SILENT_MS = 30_000

export function openDoor(url: string, headers: Readonly<Record<string, string>> = {}): Door {
  const pool = new Pool(url, { connections: null, headersTimeout: SILENT_MS, bodyTimeout: SILENT_MS })
  return { pool, headers: { 'content-type': 'application/json', ...headers } }
}

/** Throws unless a whole answer came. */
export const askPlainly = (door: Door): Promise<Answered> => ask(door, plainBody(), '}')

/** Throws unless the stream ended with its end mark. */
export const askStreaming = (door: Door): Promise<Answered> => ask(door, streamBody(), '[DONE]')

/** A caller who goes away at the first content. */
export const hangUp = (door: Door): Promise<Answered> => ask(door, streamBody(), 'hang up')

function ask({ pool, headers }: Door, body: string, end: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    pool.dispatch({ method: 'POST', path: PATH, headers, body }, new Answer(end, resolve, reject))
  })
}

class Answer implements Dispatcher.DispatchHandler {
  readonly #end: string
  readonly #resolve: (answered: Answered) => void
  readonly #reject: (error: Error) => void
  readonly #fromMs = performance.now()
  #firstMs: number | undefined
  #status = 0
  #tail = ''

  constructor(end: string, resolve: (answered: Answered) => void, reject: (error: Error) => void) {
    this.#end = end
    this.#resolve = resolve
    this.#reject = reject
  }

  /** Without this method undici takes the handler for one of its older kind. */
  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(controller: Dispatcher.DispatchController, data: Buffer): void {
    this.#firstMs ??= performance.now() - this.#fromMs
    if (this.#status !== 200) this.#tail = (this.#tail + data.toString('utf8')).slice(0, 500)
    else if (this.#end === 'hang up') {
      this.#resolve({ firstMs: this.#firstMs, tookMs: this.#firstMs })
      controller.abort(new Error('hung up'))
    } else this.#tail = (this.#tail + data.toString('latin1', Math.max(0, data.length - 20))).slice(-20)
  }

  onResponseEnd(): void {
    if (this.#status !== 200) this.#reject(new Error(`${this.#status}: ${this.#tail}`))
    else if (!this.#tail.includes(this.#end)) this.#reject(new Error('an answer ended before it was whole'))
    else {
      const tookMs = performance.now() - this.#fromMs
      this.#resolve({ firstMs: this.#firstMs ?? tookMs, tookMs })
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error)
  }
}
