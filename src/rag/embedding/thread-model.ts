// The main thread's side of the embedding thread. Passages are handed over one batch at a time, so that what waits can be
// given up without a word; questions at once. A thread that dies fails what was under way and is started again by the next
// call.
import { Worker } from 'node:worker_threads'
import { AppError } from '../../core/errors.ts'
import type { EmbeddingModel } from '../../llm/embedding.ts'
import type { Log } from '../../observe/log.ts'
import type { Reply, Request, ThreadTask } from './protocol.ts'

interface Call {
  readonly request: Request & { readonly kind: 'passages' | 'query' }
  readonly resolve: (vectors: readonly (readonly Float32Array[])[]) => void
  readonly reject: (error: unknown) => void
}

interface Ready {
  readonly model: string
  readonly dimension: number
}

const ENDED = 'The embedding thread ended. Try again.'
const MEMORY_MB = 512
/** For what is being computed to end. */
const STOP_MS = 10_000

/** Opens the model in a thread of its own. Throws AppError where it cannot be opened. */
export async function openInThread(task: ThreadTask, log: Log): Promise<EmbeddingModel> {
  const thread = new EmbeddingThread(task, log)
  const { model, dimension } = await thread.start()
  return {
    id: model,
    dimension,
    embedPassages: (texts, signal) =>
      texts.length === 0 ? Promise.resolve([]) : thread.ask((id) => ({ kind: 'passages', id, texts }), signal),
    embedQuery: async (text, signal) => {
      const [vectors] = await thread.ask((id) => ({ kind: 'query', id, text }), signal)
      const vector = vectors?.[0]
      if (!vector) throw new AppError('internal', 'The embedding model gave no vector.')
      return vector
    },
    stop: () => thread.stop(),
  }
}

class EmbeddingThread {
  readonly #task: ThreadTask
  readonly #log: Log
  #worker: Worker | undefined
  #starting: Promise<Ready> | undefined
  #stopped = false
  #nextId = 1
  readonly #waiting: Call[] = []
  readonly #underWay = new Map<number, Call>()
  #passagesUnderWay = false

  constructor(task: ThreadTask, log: Log) {
    this.#task = task
    this.#log = log
  }

  start(): Promise<Ready> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async ask(
    toRequest: (id: number) => Call['request'],
    signal: AbortSignal,
  ): Promise<readonly (readonly Float32Array[])[]> {
    signal.throwIfAborted()
    if (this.#stopped) throw new AppError('unavailable', 'The embedding model is being stopped.')
    await this.start()
    signal.throwIfAborted()
    const request = toRequest(this.#nextId++)
    let onAbort: (() => void) | undefined
    try {
      return await new Promise((resolve, reject) => {
        const call: Call = { request, resolve, reject }
        onAbort = () => {
          this.#forget(call)
          reject(signal.reason as Error)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        if (request.kind === 'query') this.#send(call)
        else {
          this.#waiting.push(call)
          this.#pump()
        }
      })
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const { reject } of this.#waiting.splice(0)) reject(new AppError('unavailable', ENDED))
    const worker = this.#worker
    if (!worker) return
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    worker.postMessage({ kind: 'end' } satisfies Request)
    // Native code that hangs is ended all the same.
    const late = setTimeout(() => void worker.terminate(), STOP_MS)
    await exited
    clearTimeout(late)
  }

  #pump(): void {
    if (this.#passagesUnderWay) return
    const call = this.#waiting.shift()
    if (!call) return
    this.#passagesUnderWay = true
    this.#send(call)
  }

  #send(call: Call): void {
    if (!this.#worker) return call.reject(new AppError('unavailable', ENDED))
    this.#underWay.set(call.request.id, call)
    this.#worker.postMessage(call.request)
  }

  #forget(call: Call): void {
    const waits = this.#waiting.indexOf(call)
    if (waits >= 0) this.#waiting.splice(waits, 1)
    else if (this.#underWay.has(call.request.id)) {
      this.#worker?.postMessage({ kind: 'cancel', id: call.request.id } satisfies Request)
      this.#settled(call.request.id)
    }
  }

  #settled(id: number): Call | undefined {
    const call = this.#underWay.get(id)
    this.#underWay.delete(id)
    if (call?.request.kind === 'passages') {
      this.#passagesUnderWay = false
      this.#pump()
    }
    return call
  }

  #start(): Promise<Ready> {
    const worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: this.#task,
      name: 'embedding',
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    })
    this.#worker = worker
    return new Promise((resolve, reject) => {
      let why: unknown
      let began = false
      worker.on('message', (reply: Reply) => {
        switch (reply.kind) {
          case 'ready':
            began = true
            resolve({ model: reply.model, dimension: reply.dimension })
            break
          case 'unopened':
            why = new AppError(reply.code, reply.message, { cause: reply.detail })
            break
          case 'done':
            this.#settled(reply.id)?.resolve(reply.vectors)
            break
          case 'failed':
            this.#settled(reply.id)?.reject(new AppError(reply.code, reply.message, { cause: reply.detail }))
        }
      })
      worker.on('error', (error) => {
        why = error
      })
      worker.once('exit', () => {
        this.#worker = undefined
        this.#starting = undefined
        this.#passagesUnderWay = false
        const lost = [...this.#underWay.values(), ...this.#waiting.splice(0)]
        this.#underWay.clear()
        for (const call of lost) call.reject(new AppError('unavailable', ENDED, { cause: why }))
        if (began && !this.#stopped)
          this.#log.error({ err: why }, 'the embedding thread ended; the next call starts it again')
        reject(why instanceof AppError ? why : new AppError('unavailable', ENDED, { cause: why }))
      })
    })
  }
}
