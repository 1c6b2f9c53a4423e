// When to import: some time after something was written, so that much of it comes together; at once when somebody waits
// for it; and again and again while the database does not take it.
import type { Clock } from '../../core/clock.ts'

/** What a loop has to tell beside the news of its imports. */
export type LoopNews =
  /** It has done all that it knew of: who wrote since has to wake it. */
  { readonly kind: 'idle' } | { readonly kind: 'failing'; readonly why: string } | { readonly kind: 'working' }

export interface ImportLoopOptions {
  readonly pass: (closed: boolean) => Promise<void>
  readonly tell: (news: LoopNews) => void
  readonly clock: Clock
}

const GATHER_MS = 1_000
const FIRST_RETRY_MS = 250
const LAST_RETRY_MS = 5_000

export class ImportLoop {
  readonly #options: ImportLoopOptions
  #running: Promise<void> | undefined
  #woken = false
  #urgent = false
  #failing = false
  /** Ends the sleep under way. */
  #hurry = new AbortController()
  #stopping = false

  constructor(options: ImportLoopOptions) {
    this.#options = options
  }

  /** Something was written. `urgent`: somebody waits for it. */
  wake(urgent: boolean): void {
    if (this.#stopping) return
    this.#woken = true
    if (urgent) {
      this.#urgent = true
      this.#hurry.abort()
    }
    this.#running ??= this.#run()
  }

  /** One last pass, over a journal that is closed. Resolves also when that fails: then it has been told. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#hurry.abort()
    await this.#running
    await this.#pass(true)
  }

  async #run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    await this.#sleep(GATHER_MS)
    while (!this.#stopping) {
      this.#woken = false
      this.#urgent = false
      if (await this.#pass(false)) {
        retryMs = FIRST_RETRY_MS
        if (!this.#woken) break
        await this.#sleep(GATHER_MS)
      } else {
        await this.#sleep(retryMs)
        retryMs = Math.min(LAST_RETRY_MS, retryMs * 2)
      }
    }
    // In the same step as the last look: whoever wakes it next has to find it at rest.
    this.#running = undefined
    if (!this.#stopping) this.#options.tell({ kind: 'idle' })
  }

  async #pass(closed: boolean): Promise<boolean> {
    const { pass, tell } = this.#options
    try {
      await pass(closed)
      if (this.#failing) tell({ kind: 'working' })
      this.#failing = false
      return true
    } catch (error) {
      if (!this.#failing || closed)
        tell({ kind: 'failing', why: error instanceof Error ? error.message : String(error) })
      this.#failing = true
      return false
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#urgent || this.#stopping) return
    this.#hurry = new AbortController()
    await this.#options.clock.sleep(ms, this.#hurry.signal).catch(() => undefined)
  }
}
