// Whoever listens to an answer: an HTTP response, or a part of Midwatch that asked a model.
import type { Frame } from '../llm/frames.ts'
import type { CacheResult } from './decision.ts'
import type { Standing } from './limits/limiter.ts'

/** What is known when the first content is there. */
export interface AnswerHead {
  readonly provider: string
  /** As the provider names it. */
  readonly model: string
  readonly attempts: number
  readonly stream: boolean
  readonly cache: CacheResult
  /** Time spent in Midwatch so far. */
  readonly overheadMs: number
  /** What is left of the tightest limits. */
  readonly standing: Standing
}

export interface Audience {
  /** Called once, right before the first frames. */
  begin(head: AnswerHead): void
  /** Whole frames, in order. A promise asks to be awaited before more is written. */
  write(frames: readonly Frame[]): Promise<void> | undefined
}
