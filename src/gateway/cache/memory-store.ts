// Cached answers in this process, bounded by bytes: what was asked for least recently goes first.
import type { Clock } from '../../core/clock.ts'
import { type AnswerStore, MAX_ANSWER_BYTES } from './answer-store.ts'
import { type CachedAnswer, sizeOf } from './cached-answer.ts'

interface Kept {
  readonly answer: CachedAnswer
  readonly sizeBytes: number
  readonly untilMs: number
}

const DEFAULT_MAX_BYTES = 128 * 1024 * 1024

export class MemoryStore implements AnswerStore {
  readonly #clock: Clock
  readonly #maxBytes: number
  /** In the order in which they were asked for last. */
  readonly #kept = new Map<string, Kept>()
  #sizeBytes = 0

  constructor({ clock, maxBytes = DEFAULT_MAX_BYTES }: { readonly clock: Clock; readonly maxBytes?: number }) {
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  get(key: string): CachedAnswer | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    if (kept.untilMs <= this.#clock.now()) {
      this.delete(key)
      return undefined
    }
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    return kept.answer
  }

  set(key: string, answer: CachedAnswer, ttlSeconds: number): void {
    this.delete(key)
    const sizeBytes = sizeOf(answer)
    if (sizeBytes > Math.min(MAX_ANSWER_BYTES, this.#maxBytes)) return
    this.#kept.set(key, { answer, sizeBytes, untilMs: this.#clock.now() + ttlSeconds * 1000 })
    this.#sizeBytes += sizeBytes
    for (const oldest of this.#kept.keys()) {
      if (this.#sizeBytes <= this.#maxBytes) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const kept = this.#kept.get(key)
    if (kept === undefined) return
    this.#kept.delete(key)
    this.#sizeBytes -= kept.sizeBytes
  }

  stop(): Promise<void> {
    this.#kept.clear()
    this.#sizeBytes = 0
    return Promise.resolve()
  }
}
