// Time limits for very many waits at once. A timer for each wait, set anew with every chunk of every stream, would cost
// more than the chunk; here a wait is one number, and one slow tick (only while something is waited for) looks at all.
import type { Clock } from './clock.ts'

/** One wait. */
export interface Limit {
  /** Starts the wait anew: `onLate` is called once, unless it is set again or cancelled within `ms`. */
  set(ms: number): void
  cancel(): void
}

const TICK_MS = 50

export class Timekeeper {
  readonly #clock: Clock
  readonly #limits = new Set<Wait>()
  readonly #stop = new AbortController()
  #ticking = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `onLate` is called at most once, up to 50 ms after the limit. It must not throw. */
  limit(ms: number, onLate: () => void): Limit {
    const wait: Wait = { dueMs: this.#clock.now() + ms, onLate }
    this.#limits.add(wait)
    if (!this.#ticking) void this.#tick()
    return {
      set: (ms) => {
        wait.dueMs = this.#clock.now() + ms
      },
      cancel: () => this.#limits.delete(wait),
    }
  }

  stop(): void {
    this.#limits.clear()
    this.#stop.abort()
  }

  async #tick(): Promise<void> {
    this.#ticking = true
    try {
      while (this.#limits.size > 0) {
        await this.#clock.sleep(TICK_MS, this.#stop.signal)
        const now = this.#clock.now()
        for (const wait of this.#limits) {
          if (wait.dueMs > now) continue
          this.#limits.delete(wait)
          wait.onLate()
        }
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    } finally {
      this.#ticking = false
    }
  }
}

interface Wait {
  dueMs: number
  readonly onLate: () => void
}
