// Where cached answers are kept. A store may forget anything at any time and never fails: one that cannot be reached
// has nothing.
import type { CachedAnswer } from './cached-answer.ts'

export interface AnswerStore {
  /** undefined when there is none, it is too old, or the store does not say so in time. */
  get(key: string): CachedAnswer | undefined | Promise<CachedAnswer | undefined>
  /** In place of what was there. Larger ones than `MAX_ANSWER_BYTES` are not kept. */
  set(key: string, answer: CachedAnswer, ttlSeconds: number): void
  delete(key: string): void
  /** Resolves when what was handed over is kept, or given up. */
  stop(): Promise<void>
}

/** What is larger would push out too many others. */
export const MAX_ANSWER_BYTES = 1024 * 1024
