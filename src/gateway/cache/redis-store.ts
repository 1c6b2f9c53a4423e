// Cached answers in Redis, for several processes. Each has its time to live, so Redis forgets them by itself; how many
// it holds is for its `maxmemory` to say. A Redis that is lost or hangs costs a request some milliseconds once: then it
// is left alone for a second, and whoever asks meanwhile is told at once that there is nothing.
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Log } from '../../observe/log.ts'
import { type AnswerStore, MAX_ANSWER_BYTES } from './answer-store.ts'
import { type CachedAnswer, decodeAnswer, encodeAnswer, sizeOf } from './cached-answer.ts'

export interface RedisStoreOptions {
  readonly url: string
  /** Of every key. */
  readonly prefix: string
  readonly log: Log
}

/** How long a request waits for Redis. */
const PATIENCE_MS = 20
/** How long a Redis that failed is left alone. */
const PAUSE_MS = 1_000
/** A connection on which an answer is owed for so long is given up. */
const SOCKET_MS = 2_000
/** What may be on its way to Redis at once; answers beyond that are not kept. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024
const STOP_MS = 500

export class RedisStore implements AnswerStore {
  readonly #client: Redis
  readonly #prefix: string
  readonly #log: Log
  readonly #pending = new Set<Promise<unknown>>()
  #pendingBytes = 0
  #pausedUntilMs = 0
  #failing = false

  constructor({ url, prefix, log }: RedisStoreOptions) {
    this.#prefix = `${prefix}cache:1:`
    this.#log = log
    this.#client = new Redis(url, {
      // With the first request that is cached: a reload of the config may be what brings it.
      lazyConnect: true,
      connectTimeout: SOCKET_MS,
      socketTimeout: SOCKET_MS,
      // Nothing may wait for a connection that is not there, or be sent again when it is.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(100 * times, 2_000),
    })
    this.#client.on('error', (error) => this.#failed(error))
    this.#client.on('ready', () => this.#works())
  }

  async get(key: string): Promise<CachedAnswer | undefined> {
    if (!this.#usable()) return undefined
    const value = await this.#within(this.#client.getBuffer(this.#prefix + key))
    return value ? decodeAnswer(value) : undefined
  }

  set(key: string, answer: CachedAnswer, ttlSeconds: number): void {
    const sizeBytes = sizeOf(answer)
    if (sizeBytes > MAX_ANSWER_BYTES || this.#pendingBytes + sizeBytes > MAX_PENDING_BYTES || !this.#usable()) return
    const ttlMs = Math.max(1, Math.round(ttlSeconds * 1000))
    this.#send(this.#client.set(this.#prefix + key, encodeAnswer(answer), 'PX', ttlMs), sizeBytes)
  }

  delete(key: string): void {
    if (this.#usable()) this.#send(this.#client.unlink(this.#prefix + key), 0)
  }

  async stop(): Promise<void> {
    await Promise.race([Promise.allSettled(this.#pending), wait(STOP_MS, undefined, { ref: false })])
    this.#client.disconnect()
  }

  #usable(): boolean {
    // What keeps it from connecting is told by the event `error`, and it tries again by itself.
    if (this.#client.status === 'wait') this.#client.connect().catch(() => undefined)
    return this.#client.status === 'ready' && performance.now() >= this.#pausedUntilMs
  }

  #send(work: Promise<unknown>, sizeBytes: number): void {
    this.#pendingBytes += sizeBytes
    const sent = work
      .then(
        () => this.#works(),
        (error: unknown) => this.#failed(error),
      )
      .finally(() => {
        this.#pendingBytes -= sizeBytes
        this.#pending.delete(sent)
      })
    this.#pending.add(sent)
  }

  /** undefined where Redis fails or is late. */
  async #within<T>(work: Promise<T>): Promise<T | undefined> {
    const over = new AbortController()
    const settled = work.then(
      (value) => {
        this.#works()
        return value
      },
      (error: unknown) => {
        this.#failed(error)
        return undefined
      },
    )
    const late = wait(PATIENCE_MS, undefined, { signal: over.signal })
      // It may be this process that was late: what has come meanwhile is read before the timer is believed.
      .then(() => nextTurn(undefined, { signal: over.signal }))
      .then(
        () => this.#failed(new Error(`no answer within ${PATIENCE_MS} ms`)),
        () => undefined,
      )
    try {
      return (await Promise.race([settled, late])) ?? undefined
    } finally {
      over.abort()
    }
  }

  #works(): void {
    this.#pausedUntilMs = 0
    if (!this.#failing) return
    this.#failing = false
    this.#log.info('the answer cache reaches Redis again')
  }

  #failed(error: unknown): void {
    this.#pausedUntilMs = performance.now() + PAUSE_MS
    if (this.#failing) return
    this.#failing = true
    this.#log.warn({ err: error }, 'the answer cache does without Redis: it does not answer')
  }
}
