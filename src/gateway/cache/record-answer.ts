// Listens to an answer on its way to its first caller, and makes of it what the cache keeps. It only holds references
// until the answer is whole: the one copy is made then, so that a kept answer holds on to no larger buffer.
import type { Ask } from '../../llm/dialect.ts'
import type { Frame } from '../../llm/frames.ts'
import type { Facts } from '../outcome.ts'
import { MAX_ANSWER_BYTES } from './answer-store.ts'
import type { CachedAnswer, Piece } from './cached-answer.ts'

export class AnswerRecorder {
  readonly #ask: Ask
  #frames: Frame[] = []
  #sizeBytes = 0

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /** Frames with the bytes that the caller gets, in order. */
  take(frames: readonly Frame[]): void {
    if (this.#sizeBytes > MAX_ANSWER_BYTES) return
    for (const frame of frames) {
      this.#frames.push(frame)
      this.#sizeBytes += frame.bytes.length
    }
    if (this.#sizeBytes > MAX_ANSWER_BYTES) this.#frames = []
  }

  /** Of an answer that was served whole; undefined when there is nothing to keep. */
  finish(closing: Uint8Array, facts: Facts, nowMs: number): CachedAnswer | undefined {
    if (this.#frames.length === 0 || facts.provider === null) return undefined
    return {
      form: this.#ask.stream ? 'stream' : 'plain',
      tellsUsage: this.#ask.wantsUsage,
      pieces: piecesOf(this.#frames),
      closing: Buffer.from(closing),
      text: this.#frames.map(({ text }) => text).join(''),
      provider: facts.provider,
      model: facts.providerModel ?? '',
      answeredBy: facts.answeredBy,
      usage: facts.usageSource === 'measured' ? facts.usage : null,
      at: nowMs,
    }
  }
}

/** What stands together and is of one kind becomes one piece. */
function piecesOf(frames: readonly Frame[]): Piece[] {
  const pieces: Piece[] = []
  for (let from = 0, to = 0; from < frames.length; from = to) {
    const kind = kindOf(frames[from])
    while (to < frames.length && kindOf(frames[to]) === kind) to++
    const bytes = Buffer.concat(frames.slice(from, to).map((frame) => frame.bytes))
    if (bytes.length > 0) pieces.push({ kind, bytes })
  }
  return pieces
}

const kindOf = (frame: Frame | undefined): Piece['kind'] => (frame?.kind === 'usage' ? 'usage' : 'said')
