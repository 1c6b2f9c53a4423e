// Sees to it that what was written survives a power cut: the journal's files are flushed to the platter in the background,
// all that was written meanwhile at once. A flush takes its time in the pool of threads and holds nobody up.
import { close, fdatasync, fsync } from 'node:fs'
import { promisify } from 'node:util'

const flushData = promisify(fdatasync)
const flushAll = promisify(fsync)
const closeFile = promisify(close)

/** How long what was written may wait for its flush, where nobody waits for it. */
const WITHIN_MS = 50

export class Syncer {
  readonly #onFailure: (error: unknown) => void
  readonly #dirty = new Set<number>()
  /** To be closed after their last flush. */
  readonly #retired = new Set<number>()
  /** Folders that got a new file. */
  readonly #folders = new Set<number>()
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> | undefined
  #next: PromiseWithResolvers<void> | undefined

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure
  }

  /** `file` was written to: it is flushed soon. */
  wrote(file: number): void {
    this.#dirty.add(file)
    if (this.#timer === undefined && this.#next === undefined)
      this.#timer = setTimeout(() => void this.synced(), WITHIN_MS)
  }

  wroteFolder(folder: number): void {
    this.#folders.add(folder)
  }

  /** Closes the file once it is flushed. */
  retire(file: number): void {
    this.#dirty.add(file)
    this.#retired.add(file)
    void this.synced()
  }

  /** Resolves when all that was written by now is flushed, or could not be: then the failure has been told. */
  synced(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    // A flush that is under way may have begun before the write: only the one after it is sure to have it.
    this.#next ??= Promise.withResolvers()
    this.#round ??= this.#run()
    return this.#next.promise
  }

  async stop(): Promise<void> {
    await this.synced()
    await this.#round
  }

  async #run(): Promise<void> {
    // One turn of the event loop: whoever else writes in it is flushed along.
    await new Promise(setImmediate)
    for (let next = this.#next; next; next = this.#next) {
      this.#next = undefined
      const files = [...this.#dirty]
      const folders = [...this.#folders]
      const retired = [...this.#retired]
      this.#dirty.clear()
      this.#folders.clear()
      this.#retired.clear()
      const flushed = await Promise.allSettled([
        ...files.map((file) => flushData(file)),
        ...folders.map((one) => flushAll(one)),
      ])
      const closed = await Promise.allSettled(retired.map((file) => closeFile(file)))
      for (const one of [...flushed, ...closed]) if (one.status === 'rejected') this.#onFailure(one.reason)
      next.resolve()
    }
    // In the same step as the last look: whoever asks next has to find no round, and start one.
    this.#round = undefined
  }
}
