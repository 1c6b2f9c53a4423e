// Work done side by side, within a number and a weight of what is under way. The first failure ends all of it, and nothing
// goes on behind the back of whoever waited for the end.

export interface Bounds {
  readonly count: number
  readonly weight: number
}

export class BoundedWork {
  readonly #bounds: Bounds
  readonly #onFailure: (error: unknown) => void
  readonly #underWay = new Set<Promise<void>>()
  #weight = 0
  #failure: { readonly error: unknown } | undefined

  /** `onFailure` is told once, for the others to be ended. */
  constructor(bounds: Bounds, onFailure: (error: unknown) => void) {
    this.#bounds = bounds
    this.#onFailure = onFailure
  }

  /** Resolves when it is begun: one that is heavier than the bound runs alone. Throws what earlier work threw. */
  async begin(weight: number, work: () => Promise<void>): Promise<void> {
    while (!this.#hasRoom(weight)) await Promise.race(this.#underWay)
    if (this.#failure) throw this.#failure.error
    this.#weight += weight
    const running = work()
      .catch((error: unknown) => {
        if (this.#failure) return
        this.#failure = { error }
        this.#onFailure(error)
      })
      .finally(() => {
        this.#weight -= weight
        this.#underWay.delete(running)
      })
    this.#underWay.add(running)
  }

  /** Waits for all. Throws what the first one threw that failed. */
  async end(): Promise<void> {
    await Promise.all(this.#underWay)
    if (this.#failure) throw this.#failure.error
  }

  #hasRoom(weight: number): boolean {
    const { size } = this.#underWay
    return size === 0 || (size < this.#bounds.count && this.#weight + weight <= this.#bounds.weight)
  }
}
