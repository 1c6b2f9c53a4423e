// What was admitted in the last minute, counted by the second: 61 numbers, however much comes. A count is held until the
// whole of its second is a minute old, so it may be held up to a second too long and never a moment too short: in no
// minute, wherever it begins, is more admitted than the limit.

/** Seconds that can hold something admitted within the last 60,000 ms. */
const SECONDS = 61

export class MinuteWindow {
  readonly #counts = new Float64Array(SECONDS)
  /** The newest second that was counted in. */
  #newest = 0
  #total = 0

  /** What counts at that moment. */
  total(nowMs: number): number {
    this.#advance(Math.floor(nowMs / 1000))
    return this.#total
  }

  /** Returns the second it was counted in, for `adjust`. */
  add(nowMs: number, amount: number): number {
    this.#advance(Math.floor(nowMs / 1000))
    this.#counts[this.#newest % SECONDS]! += amount
    this.#total += amount
    return this.#newest
  }

  /** Corrects what was counted in that second, if it still counts. */
  adjust(second: number, amount: number): void {
    if (second > this.#newest || second <= this.#newest - SECONDS) return
    this.#counts[second % SECONDS]! += amount
    this.#total += amount
  }

  /** ms until no more than `most` counts; Infinity where that never comes. */
  msUntil(nowMs: number, most: number): number {
    if (most < 0) return Infinity
    let left = this.total(nowMs)
    if (left <= most) return 0
    for (let second = this.#newest - SECONDS + 1; second <= this.#newest; second++) {
      left -= this.#counts[second % SECONDS] ?? 0
      if (left <= most) return (second + SECONDS) * 1000 - nowMs
    }
    return Infinity
  }

  /** ms until nothing counts. */
  msUntilEmpty(nowMs: number): number {
    if (this.total(nowMs) === 0) return 0
    // Counts and their corrections are whole numbers, so an empty second is exactly 0.
    let second = this.#newest
    while (this.#counts[second % SECONDS] === 0 && second > this.#newest - SECONDS) second--
    return (second + SECONDS) * 1000 - nowMs
  }

  #advance(second: number): void {
    if (second === this.#newest) return
    if (second < this.#newest) {
      // A clock that was put back a little: what comes now counts as newest. Far back: all that counts, counts from now.
      if (second > this.#newest - SECONDS) return
      this.#counts.fill(0)
      this.#newest = second
      this.#counts[second % SECONDS] = this.#total
      return
    }
    if (second - this.#newest >= SECONDS) {
      this.#counts.fill(0)
      this.#total = 0
    } else {
      for (let gone = this.#newest + 1; gone <= second; gone++) {
        this.#total -= this.#counts[gone % SECONDS] ?? 0
        this.#counts[gone % SECONDS] = 0
      }
    }
    this.#newest = second
  }
}
