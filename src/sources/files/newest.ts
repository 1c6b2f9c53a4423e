// Keeps the newest `limit` of what it is given, in memory bounded by the limit, and knows whether any was let go.

export interface Placed<T> {
  readonly at: number
  /** Orders equal times. */
  readonly order: string
  readonly offset: number
  readonly value: T
}

export class Newest<T> {
  readonly #limit: number
  #held: Placed<T>[] = []
  /** True when something that was given is not kept. */
  truncated = false

  constructor(limit: number) {
    this.#limit = Math.max(0, Math.floor(limit))
  }

  add(item: Placed<T>): void {
    this.#held.push(item)
    if (this.#held.length >= 2 * this.#limit + 64) this.#trim()
  }

  /** Nothing before this time can be kept any more. */
  floorMs(): number {
    if (this.#held.length > this.#limit) this.#trim()
    return this.truncated ? (this.#held[0]?.at ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY
  }

  /** In order of time. */
  take(): T[] {
    this.#trim()
    return this.#held.map(({ value }) => value)
  }

  #trim(): void {
    this.#held.sort((a, b) => a.at - b.at || (a.order < b.order ? -1 : a.order > b.order ? 1 : a.offset - b.offset))
    if (this.#held.length <= this.#limit) return
    this.#held.splice(0, this.#held.length - this.#limit)
    this.truncated = true
  }
}
