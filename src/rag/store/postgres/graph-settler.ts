// Builds graphs one after the other, on one of the pool's connections, and gives up when the store is stopped or whoever asked
// wants no more: what is built half is of no use and of no harm, and is built by whoever comes next.
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import { failure } from './connection.ts'
import { settleGraphs } from './graph.ts'

/** A cancellation that comes between two statements does nothing: it is sent again so often until one has. */
const CANCEL_AGAIN_MS = 100

export class GraphSettler {
  readonly #pool: Pool
  readonly #few: number
  #running: Promise<void> | undefined
  readonly #stopping = new AbortController()

  /** So `few` passages are as well looked at one by one. */
  constructor(pool: Pool, few: number) {
    this.#pool = pool
    this.#few = few
  }

  /** Amid an ingest one that runs already will do. Resolves early when the signal or the store's end breaks it off. Throws AppError. */
  async settle(collection: string | null, when: 'after' | 'amid', signal?: AbortSignal): Promise<void> {
    if (this.#running && when === 'amid') return
    const until = signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal
    while (this.#running && !until.aborted) await Promise.race([this.#running.catch(() => undefined), aborted(until)])
    if (until.aborted) return
    this.#running = this.#settle(collection, when, until).finally(() => {
      this.#running = undefined
    })
    try {
      await this.#running
    } catch (error) {
      if (!until.aborted) throw failure(error)
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The knowledge base is being stopped.'))
    await this.#running?.catch(() => undefined)
  }

  async #settle(collection: string | null, when: 'after' | 'amid', signal: AbortSignal): Promise<void> {
    const done = new AbortController()
    let cancelling: Promise<void> | undefined
    try {
      await settleGraphs(this.#pool, { collection, few: this.#few, when }, signal, (client) => {
        cancelling = this.#cancelWhenAborted(client, signal, done.signal)
      })
    } finally {
      done.abort()
      await cancelling
    }
  }

  async #cancelWhenAborted(client: PoolClient, signal: AbortSignal, done: AbortSignal): Promise<void> {
    await aborted(AbortSignal.any([signal, done]))
    if (!('processID' in client)) return
    const pid = Number(client.processID)
    while (!done.aborted) {
      await this.#pool.query('select pg_cancel_backend($1)', [pid]).catch(() => undefined)
      await pause(CANCEL_AGAIN_MS, undefined, { signal: done }).catch(() => undefined)
    }
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
