// How fast a batch goes on: a few requests at a time, none while live calls fill the gateway by half, and all of them wait
// when a limit is met, for what one of them is refused, the next would be.
import type { Clock } from '../../core/clock.ts'

export interface PaceOptions {
  readonly clock: Clock
  readonly places: Places
  /** 0 to 1. */
  readonly random: () => number
}

/** The places of all batches together. */
export class Places {
  readonly #hasRoom: (taken: number) => boolean
  #taken = 0

  /** `hasRoom`: whether one more call that can wait may come, where so many of them have come. */
  constructor(hasRoom: (taken: number) => boolean) {
    this.#hasRoom = hasRoom
  }

  take(): boolean {
    // Counted here, for a call is not under way yet in the turn in which it is let in.
    if (!this.#hasRoom(this.#taken)) return false
    this.#taken++
    return true
  }

  leave(): void {
    this.#taken--
  }
}

const LOOK_MS = 100
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

export class Pace {
  readonly #options: PaceOptions
  #pausedUntilMs = 0
  #pauses = 0

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** true: a place is taken, and has to be left. false: the work `isOver`. Throws the signal's reason. */
  async enter(signal: AbortSignal, isOver: () => boolean): Promise<boolean> {
    const { clock, places } = this.#options
    for (;;) {
      signal.throwIfAborted()
      if (isOver()) return false
      const leftMs = this.#pausedUntilMs - clock.now()
      if (leftMs <= 0 && places.take()) return true
      // In short steps, so that a cancellation is heard.
      await clock.sleep(leftMs > 0 ? Math.min(leftMs, 1000) : LOOK_MS, signal)
    }
  }

  leave(): void {
    this.#options.places.leave()
  }

  /** Everybody waits: so long, or, where nobody said how long, longer each time. */
  pause(afterMs: number | null): void {
    const { clock, random } = this.#options
    const nowMs = clock.now()
    // Several that were refused at once are one pause.
    if (nowMs < this.#pausedUntilMs) return
    const growing = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#pauses++) * (0.5 + random() / 2)
    this.#pausedUntilMs = nowMs + (afterMs ?? growing)
  }

  /** A request was answered. */
  goOn(): void {
    this.#pauses = 0
  }
}
