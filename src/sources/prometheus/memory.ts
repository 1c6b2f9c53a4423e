// Answers about a server's habits, which change seldom: remembered for some minutes, then asked again.
import type { Clock } from '../../core/clock.ts'

const REMEMBERED_MS = 5 * 60_000

export class Memory<T> {
  readonly #clock: Clock
  readonly #held = new Map<string, { readonly value: T; readonly untilMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What was remembered last, however old. */
  peek(key: string): T | undefined {
    return this.#held.get(key)?.value
  }

  /** What is remembered, or else found now. An undefined find is not remembered. */
  async get(key: string, find: () => Promise<T | undefined>): Promise<T | undefined> {
    const held = this.#held.get(key)
    if (held && held.untilMs > this.#clock.now()) return held.value
    const value = await find()
    if (value !== undefined) this.#held.set(key, { value, untilMs: this.#clock.now() + REMEMBERED_MS })
    return value
  }
}
