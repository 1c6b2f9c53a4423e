// One circuit breaker: closed while things work; open, so that nobody waits for what is broken; then half-open, with
// exactly one probe under way at any time, whose result decides. Results of calls that began before the circuit last
// opened say nothing any more.

export interface CircuitPass {
  readonly kind: 'closed' | 'probe'
  /** Which closed spell it belongs to; of a probe, none until it is proved. */
  era: number
  left: boolean
  /** A probe that did not wait for its time: its failure is no news. */
  readonly early: boolean
}

export type Verdict =
  | 'good'
  | 'bad'
  /** It says nothing: a fault of the caller's, a caller that left. */
  | 'neutral'

/** Calls and failures are counted over six buckets of five seconds. */
const BUCKET_MS = 5_000
const BUCKETS = 6
const NEVER = -1e9
const ENOUGH_CALLS = 5
const BAD_SHARE = 0.5
const BAD_IN_A_ROW = 5
const FIRST_OPEN_MS = 2_000
const LONGEST_OPEN_MS = 60_000
/** Told to those who find the one probe under way. */
const PROBE_GUESS_MS = 1_000

export const CIRCUIT_STATES = ['closed', 'recovering', 'open'] as const
export type CircuitState = (typeof CIRCUIT_STATES)[number]

export class Circuit {
  readonly #random: () => number
  readonly #calls = new Int32Array(BUCKETS)
  readonly #bad = new Int32Array(BUCKETS)
  /** Which five seconds a bucket holds. */
  readonly #epochs = new Float64Array(BUCKETS).fill(NEVER)
  #badInARow = 0
  #open = false
  #untilMs = 0
  #pausedUntilMs = 0
  #closedAtMs = -Infinity
  /** How often in a row it opened without a good spell in between: it stays open longer each time. */
  #openings = 0
  #era = 0
  #probe: CircuitPass | null = null

  /** `random`: 0 to 1, so that many processes do not probe in step. */
  constructor(random: () => number) {
    this.#random = random
  }

  /** Whether `enter` would let a call through now. */
  mayEnter(nowMs: number): boolean {
    if (nowMs < this.#pausedUntilMs) return false
    return !this.#open || (nowMs >= this.#untilMs && this.#probe === null)
  }

  /**
   * null when no call may go through. `early`: probe also before the time, because nothing else is left to try; the one
   * probe at a time and a pause that was asked for are kept all the same.
   */
  enter(nowMs: number, early = false): CircuitPass | null {
    if (nowMs < this.#pausedUntilMs) return null
    if (!this.#open) return { kind: 'closed', era: this.#era, left: false, early: false }
    const due = nowMs >= this.#untilMs
    if (this.#probe !== null || !(due || early)) return null
    return (this.#probe = { kind: 'probe', era: -1, left: false, early: !due })
  }

  /** When it makes sense to come again; in the past where one may enter now. */
  opensAtMs(nowMs: number): number {
    const untilMs = this.#open ? (this.#probe ? Math.max(this.#untilMs, nowMs + PROBE_GUESS_MS) : this.#untilMs) : 0
    return Math.max(untilMs, this.#pausedUntilMs)
  }

  /** `recovering`: it was open, its time is over, and no call has shown yet how it is. */
  state(nowMs: number): CircuitState {
    if (nowMs < this.#pausedUntilMs) return 'open'
    if (!this.#open) return 'closed'
    return nowMs < this.#untilMs || this.#probe ? 'open' : 'recovering'
  }

  /** The call brought what it was for, though it goes on: a probe closes the circuit now and is like any call from here. */
  prove(pass: CircuitPass, nowMs: number): void {
    if (pass.left || pass !== this.#probe) return
    this.#close(nowMs)
    pass.era = this.#era
  }

  /** Once for each pass; said again, it changes nothing. */
  leave(pass: CircuitPass, verdict: Verdict, nowMs: number): void {
    if (pass.left) return
    pass.left = true
    if (pass === this.#probe) this.#endProbe(pass, verdict, nowMs)
    else if (!this.#open && pass.era === this.#era && verdict !== 'neutral') this.#count(verdict === 'bad', nowMs)
  }

  /** Nobody goes through before then: it was asked for. Afterwards the circuit is what it was. */
  pause(untilMs: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, untilMs)
  }

  #endProbe(probe: CircuitPass, verdict: Verdict, nowMs: number): void {
    if (verdict === 'good') return this.#close(nowMs)
    this.#probe = null
    if (verdict === 'bad' && !probe.early) this.#openFor(nowMs)
  }

  #count(bad: boolean, nowMs: number): void {
    const epoch = Math.floor(nowMs / BUCKET_MS)
    const at = epoch % BUCKETS
    if (this.#epochs[at] !== epoch) {
      this.#epochs[at] = epoch
      this.#calls[at] = 0
      this.#bad[at] = 0
    }
    this.#calls[at] = (this.#calls[at] ?? 0) + 1
    if (!bad) {
      this.#badInARow = 0
      return
    }
    this.#bad[at] = (this.#bad[at] ?? 0) + 1
    this.#badInARow++
    if (this.#badInARow >= BAD_IN_A_ROW || this.#mostlyBad(epoch)) {
      if (nowMs - this.#closedAtMs > LONGEST_OPEN_MS) this.#openings = 0
      this.#openFor(nowMs)
    }
  }

  #mostlyBad(epoch: number): boolean {
    let calls = 0
    let bad = 0
    for (let i = 0; i < BUCKETS; i++) {
      if (Math.abs(epoch - (this.#epochs[i] ?? NEVER)) >= BUCKETS) continue
      calls += this.#calls[i] ?? 0
      bad += this.#bad[i] ?? 0
    }
    return calls >= ENOUGH_CALLS && bad >= calls * BAD_SHARE
  }

  #openFor(nowMs: number): void {
    const longest = Math.min(LONGEST_OPEN_MS, FIRST_OPEN_MS * 2 ** Math.min(this.#openings, 10))
    this.#openings++
    this.#open = true
    this.#era++
    this.#untilMs = nowMs + longest * (0.5 + this.#random() / 2)
  }

  #close(nowMs: number): void {
    this.#open = false
    this.#probe = null
    this.#closedAtMs = nowMs
    this.#badInARow = 0
    this.#epochs.fill(NEVER)
  }
}
