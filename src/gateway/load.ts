// What a target is doing right now: calls under way, and how fast it has been of late. One record for each provider and
// model, under whatever names they stand in the config, so load that arrives as somebody's fallback counts like any other.
import type { Clock } from '../core/clock.ts'
import { DecayingQuantile } from './quantile.ts'

/** How a call to a target ended, as far as its speed is concerned. */
export type FlightEnd =
  /** `outputTokens`: null where the provider did not say. */
  | { readonly kind: 'served'; readonly outputTokens: number | null }
  /** The target's own fault. */
  | { readonly kind: 'failed' }
  /** It says nothing about the target: the caller left, a hedge lost, a limit that the caller chose. */
  | { readonly kind: 'unknown' }

/** What an average forgets by two thirds in. */
const MEMORY_MS = 15_000
/** An estimate halves in so much silence, so that a target once slow is tried again. */
const FORGET_MS = 30_000
/** A failure counts as an answer at least this slow: what fails fast must not look fast. */
const FAILED_MS = 5_000
const ENOUGH_SAMPLES = 20

/** An average over time: however many samples come, those of the last quarter of a minute decide. */
class MovingAverage {
  #value: number | null = null
  #atMs = 0

  add(sample: number, nowMs: number): void {
    if (this.#value === null) this.#value = sample
    else {
      // The floor lets an average move that gets a burst of samples in one millisecond.
      const share = Math.max(0.01, 1 - Math.exp((this.#atMs - nowMs) / MEMORY_MS))
      this.#value += (sample - this.#value) * share
    }
    this.#atMs = nowMs
  }

  get value(): number | null {
    return this.#value
  }

  /** The value as it fades while nothing new is known. */
  faded(nowMs: number): number | null {
    return this.#value === null ? null : this.#value * 2 ** ((this.#atMs - nowMs) / FORGET_MS)
  }
}

interface Speed {
  readonly firstContentMs: MovingAverage
  readonly quantile: DecayingQuantile
}

const newSpeed = (): Speed => ({ firstContentMs: new MovingAverage(), quantile: new DecayingQuantile() })

export class TargetLoad {
  readonly #clock: Clock
  /** A stream's first content and a plain answer, which shows none before it is whole, have nothing in common. */
  readonly #streamed = newSpeed()
  readonly #plain = newSpeed()
  readonly #tokensPerSecond = new MovingAverage()
  #inFlight = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls under way at it. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Counts a call from here on, until the flight ends. */
  begin(stream: boolean): Flight {
    this.#inFlight++
    return new Flight(this, this.#clock, stream)
  }

  /** How long it lets one wait for the first content (of a plain answer: all of it), fading in silence; null: unknown. */
  firstContentMs(stream: boolean, nowMs: number): number | null {
    return this.#speed(stream).firstContentMs.faded(nowMs)
  }

  /** null until enough was seen lately. */
  p95FirstContentMs(stream: boolean): number | null {
    const { quantile } = this.#speed(stream)
    const nowMs = this.#clock.now()
    return quantile.weight(nowMs) < ENOUGH_SAMPLES ? null : quantile.quantile(0.95, nowMs)
  }

  /** How fast it writes; null where nothing was measured. */
  get tokensPerSecond(): number | null {
    return this.#tokensPerSecond.value
  }

  /** For flights only. */
  noteFirstContent(stream: boolean, ms: number, nowMs: number): void {
    const speed = this.#speed(stream)
    speed.firstContentMs.add(ms, nowMs)
    speed.quantile.add(ms, nowMs)
  }

  /** For flights only. */
  noteEnd(flight: Flight, end: FlightEnd, nowMs: number): void {
    this.#inFlight--
    if (end.kind === 'failed' && flight.contentMs === null) {
      const { firstContentMs } = this.#speed(flight.stream)
      const penalty = Math.max(FAILED_MS, nowMs - flight.startedMs, 2 * (firstContentMs.value ?? 0))
      firstContentMs.add(Math.min(penalty, 10 * 60_000), nowMs)
    }
    if (end.kind !== 'served' || end.outputTokens === null) return
    const fromMs = flight.stream ? (flight.contentMs ?? flight.startedMs) : flight.startedMs
    if (nowMs > fromMs) this.#tokensPerSecond.add((end.outputTokens * 1000) / (nowMs - fromMs), nowMs)
  }

  #speed(stream: boolean): Speed {
    return stream ? this.#streamed : this.#plain
  }
}

/** One call at a target. */
export class Flight {
  readonly #load: TargetLoad
  readonly #clock: Clock
  readonly stream: boolean
  readonly startedMs: number
  /** When the first content came. */
  contentMs: number | null = null
  #ended = false

  constructor(load: TargetLoad, clock: Clock, stream: boolean) {
    this.#load = load
    this.#clock = clock
    this.stream = stream
    this.startedMs = clock.now()
  }

  /** The first content is there; said again, it changes nothing. */
  content(): void {
    if (this.contentMs !== null || this.#ended) return
    this.contentMs = this.#clock.now()
    this.#load.noteFirstContent(this.stream, this.contentMs - this.startedMs, this.contentMs)
  }

  /** Ends the count; said again, it changes nothing. */
  end(end: FlightEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#load.noteEnd(this, end, this.#clock.now())
  }
}

/** The loads of all targets. They outlive a reload of the config: calls under way stay counted. */
export class Loads {
  readonly #clock: Clock
  readonly #loads = new Map<string, TargetLoad>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(targetKey: string): TargetLoad {
    let load = this.#loads.get(targetKey)
    if (!load) this.#loads.set(targetKey, (load = new TargetLoad(this.#clock)))
    return load
  }

  /** Forgets targets that are in the config no more. */
  retain(targetKeys: ReadonlySet<string>): void {
    for (const [key, { inFlight }] of this.#loads) if (!targetKeys.has(key) && inFlight === 0) this.#loads.delete(key)
  }
}
