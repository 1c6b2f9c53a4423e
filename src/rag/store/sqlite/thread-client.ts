// The main thread's side of one of the store's threads. What is asked while the thread is down waits for the next; what was
// under way when it died fails, for nobody can know whether it was done. A thread that dies is started again.
import { Worker } from 'node:worker_threads'
import { AppError } from '../../../core/errors.ts'
import type { Log } from '../../../observe/log.ts'
import type { Reply, Request, ThreadTask } from './protocol.ts'

/** What a thread can be asked: the methods of what it runs. */
type Operations<T> = { [K in keyof T]: T[K] extends (...values: infer V) => infer R ? (...values: V) => R : never }

interface Call {
  readonly request: Request & { kind: 'call' }
  readonly resolve: (value: unknown) => void
  readonly reject: (error: AppError) => void
}

const RESTART_MS = 500
/** How long what is under way may take when Midwatch stops. */
const STOP_MS = 8_000

export class ThreadClient<T> {
  readonly #task: ThreadTask
  readonly #log: Log
  #thread: Worker | undefined
  #ready = false
  #restart: NodeJS.Timeout | undefined
  #stopping = false
  #nextId = 1
  readonly #waiting: Call[] = []
  readonly #underWay = new Map<number, Call>()
  #drained: (() => void) | undefined

  private constructor(task: ThreadTask, log: Log) {
    this.#task = task
    this.#log = log
  }

  /** Throws AppError `unavailable` when the thread cannot begin, which at the first time is not tried again. */
  static async start<T>(task: ThreadTask, log: Log): Promise<ThreadClient<T>> {
    const client = new ThreadClient<T>(task, log)
    await client.#start()
    return client
  }

  /** Fails with an AppError. */
  call<K extends keyof T & string>(
    operation: K,
    ...values: Parameters<Operations<T>[K]>
  ): Promise<ReturnType<Operations<T>[K]>> {
    if (this.#stopping) return Promise.reject(new AppError('unavailable', 'The knowledge base is being stopped.'))
    return new Promise<unknown>((resolve, reject) => {
      const call: Call = { request: { kind: 'call', id: this.#nextId++, operation, values }, resolve, reject }
      if (this.#ready) this.#send(call)
      else this.#waiting.push(call)
    }) as Promise<ReturnType<Operations<T>[K]>>
  }

  /** Ends the thread when all that was asked is done. For tests: `kill` ends it at once, as a crash would. */
  async stop(): Promise<void> {
    if (this.#stopping) return
    this.#stopping = true
    clearTimeout(this.#restart)
    const late = setTimeout(() => void this.#thread?.terminate(), STOP_MS)
    try {
      if (this.#thread && this.#underWay.size + this.#waiting.length > 0)
        await new Promise<void>((resolve) => (this.#drained = resolve))
      const thread = this.#thread
      if (thread) {
        const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
        thread.postMessage({ kind: 'stop' } satisfies Request)
        await ended
      }
    } finally {
      clearTimeout(late)
    }
    for (const { reject } of this.#waiting.splice(0)) reject(new AppError('unavailable', STOPPED))
  }

  /** Ends the thread in the midst of its work. */
  async kill(): Promise<void> {
    await this.#thread?.terminate()
  }

  #start(): Promise<void> {
    const thread = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: this.#task,
      name: `knowledge-${this.#task.use}`,
    })
    this.#thread = thread
    return new Promise((resolve, reject) => {
      let why: unknown
      thread.on('message', (reply: Reply) => {
        if (reply.kind === 'ready') {
          this.#ready = true
          for (const call of this.#waiting.splice(0)) this.#send(call)
          resolve()
        } else if (reply.kind === 'unopened') why = new AppError(reply.code, reply.message, { cause: reply.detail })
        else this.#settle(reply)
      })
      thread.on('error', (error) => {
        why = error
      })
      thread.once('exit', () => {
        const began = this.#ready
        this.#ready = false
        this.#thread = undefined
        for (const { reject } of this.#underWay.values()) reject(new AppError('unavailable', STOPPED, { cause: why }))
        this.#underWay.clear()
        this.#drained?.()
        const message = `The knowledge base ${this.#task.file} cannot be opened.`
        reject(why instanceof AppError ? why : new AppError('unavailable', message, { cause: why }))
        if (!this.#stopping && began) this.#startAgain(why)
      })
    })
  }

  #startAgain(why: unknown): void {
    this.#log.error({ err: why, use: this.#task.use }, 'a thread of the knowledge base ended; it is started again')
    this.#restart = setTimeout(() => {
      this.#start().catch((error: unknown) => {
        if (!this.#stopping) this.#startAgain(error)
      })
    }, RESTART_MS)
  }

  #send(call: Call): void {
    this.#underWay.set(call.request.id, call)
    this.#thread?.postMessage(call.request)
  }

  #settle(reply: Reply & { kind: 'done' | 'failed' }): void {
    const call = this.#underWay.get(reply.id)
    if (!call) return
    this.#underWay.delete(reply.id)
    if (reply.kind === 'done') call.resolve(reply.value)
    else call.reject(new AppError(reply.code, reply.message, { cause: reply.detail }))
    if (this.#underWay.size === 0) this.#drained?.()
  }
}

const STOPPED = 'The knowledge base broke off. Nothing half done is left; try again.'
