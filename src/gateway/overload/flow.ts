// How calls come and go, as Little's law has it: L = λW. Rates are counts that decay over ten seconds, so they follow the
// load, need no timer and no memory.

const MEMORY_MS = 10_000

class Rate {
  readonly #startedMs: number
  #count = 0
  #atMs: number

  constructor(nowMs: number) {
    this.#startedMs = nowMs
    this.#atMs = nowMs
  }

  add(nowMs: number): void {
    this.#decay(nowMs)
    this.#count++
  }

  /** While it is young, it knows only the time since it began; the first second counts as a whole one. */
  perSecond(nowMs: number): number {
    this.#decay(nowMs)
    const seen = 1 - Math.exp(-Math.max(1000, nowMs - this.#startedMs) / MEMORY_MS)
    return (this.#count * 1000) / (MEMORY_MS * seen)
  }

  #decay(nowMs: number): void {
    if (nowMs <= this.#atMs) return
    this.#count *= Math.exp((this.#atMs - nowMs) / MEMORY_MS)
    this.#atMs = nowMs
  }
}

export class Flow {
  readonly #arrivals: Rate
  readonly #departures: Rate
  #secondsInSystem: number | null = null

  constructor(nowMs: number) {
    this.#arrivals = new Rate(nowMs)
    this.#departures = new Rate(nowMs)
  }

  arrived(nowMs: number): void {
    this.#arrivals.add(nowMs)
  }

  left(nowMs: number, arrivedMs: number): void {
    this.#departures.add(nowMs)
    const seconds = Math.max(0, nowMs - arrivedMs) / 1000
    // The last fifty or so.
    this.#secondsInSystem =
      this.#secondsInSystem === null ? seconds : this.#secondsInSystem + (seconds - this.#secondsInSystem) * 0.02
  }

  /** λ */
  arrivalsPerSecond(nowMs: number): number {
    return this.#arrivals.perSecond(nowMs)
  }

  departuresPerSecond(nowMs: number): number {
    return this.#departures.perSecond(nowMs)
  }

  /** W: from the door until the end of the answer; null before the first has ended. */
  get secondsInSystem(): number | null {
    return this.#secondsInSystem
  }
}
