// Room on the disk that belongs to the journal: a file that is made smaller when the disk is full, so that the end of
// a request that was let in can still be written. While it is not whole, no new request is let in.
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const STEP_BYTES = 64 * 1024
/** How often it is tried to make it whole again. */
const RETRY_MS = 1_000

export class Reserve {
  readonly #path: string
  readonly #sizeBytes: number
  #file: number | undefined
  #haveBytes = 0
  #triedMs = -Infinity
  /** What kept it from being whole. */
  failure: unknown

  constructor(folder: string, sizeBytes: number) {
    this.#path = join(folder, 'reserve')
    this.#sizeBytes = sizeBytes
  }

  /** Whether it is whole; from time to time that is tried again. */
  isWhole(nowMs: number): boolean {
    if (this.#haveBytes >= this.#sizeBytes) return true
    if (nowMs - this.#triedMs < RETRY_MS) return false
    this.#triedMs = nowMs
    try {
      // Something is written into it: a hole would take no room, nor would zeros on a disk that packs them.
      this.#file ??= openSync(this.#path, 'w', 0o600)
      const step = Buffer.alloc(STEP_BYTES)
      while (this.#haveBytes < this.#sizeBytes) {
        for (let i = 0; i < step.length; i += 8) step.writeDoubleLE(Math.random(), i)
        const length = Math.min(STEP_BYTES, this.#sizeBytes - this.#haveBytes)
        this.#haveBytes += writeSync(this.#file, step, 0, length, this.#haveBytes)
      }
      this.failure = undefined
      return true
    } catch (error) {
      this.failure = error
      return false
    }
  }

  /** Gives some of it to the disk. False when there is nothing left to give. */
  release(bytes: number): boolean {
    if (this.#file === undefined || this.#haveBytes === 0) return false
    const left = Math.max(0, this.#haveBytes - Math.max(bytes, STEP_BYTES))
    try {
      ftruncateSync(this.#file, left)
      this.#haveBytes = left
      return true
    } catch (error) {
      this.failure = error
      return false
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
    this.#haveBytes = 0
  }
}

export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
