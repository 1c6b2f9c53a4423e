// Builds graphs one after the other, on a connection of its own, and gives up when the store is stopped: what is built half is of
// no use and of no harm, and is built by whoever comes next.
import type { PoolClient } from 'pg'
import type { Connections } from './connection.ts'
import { failure } from './connection.ts'
import { settleGraphs } from './graph.ts'

export class GraphSettler {
  readonly #connections: Connections
  readonly #few: number
  #running: Promise<void> | undefined
  #client: PoolClient | null = null
  #stopping = false

  /** So `few` passages are as well looked at one by one. */
  constructor(connections: Connections, few: number) {
    this.#connections = connections
    this.#few = few
  }

  /** Amid an ingest one that runs already will do. Throws AppError. */
  async settle(collection: string | null, when: 'after' | 'amid'): Promise<void> {
    if (this.#running && when === 'amid') return
    while (this.#running) await this.#running.catch(() => undefined)
    if (this.#stopping) return
    this.#running = settleGraphs(this.#connections.pool, { collection, few: this.#few, when }, (client) => {
      this.#client = client
    }).finally(() => {
      this.#running = undefined
    })
    try {
      await this.#running
    } catch (error) {
      if (!this.#stopping) throw failure(error)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    if (!this.#running) return
    const pid = this.#client && 'processID' in this.#client ? Number(this.#client.processID) : null
    if (pid !== null) await this.#connections.pool.query('select pg_cancel_backend($1)', [pid]).catch(() => undefined)
    await this.#running.catch(() => undefined)
  }
}
