// A quantile of durations that forgets: counts in buckets that grow by a tenth each, halved every few minutes. Memory is
// fixed (about 150 numbers), adding costs a logarithm, and an answer is at most a twentieth off.

const GROWTH = Math.log(1.1)
/** The last bucket begins at about an hour. */
const BUCKETS = 160
const HALF_LIFE_MS = 5 * 60_000

export class DecayingQuantile {
  readonly #counts = new Float64Array(BUCKETS)
  #total = 0
  #halvedMs = 0

  add(ms: number, nowMs: number): void {
    this.#decay(nowMs)
    const bucket = ms < 1 ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log(ms) / GROWTH))
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total++
  }

  /** How many samples it rests on: an old one counts for less than one. */
  weight(nowMs: number): number {
    this.#decay(nowMs)
    return this.#total
  }

  /** The duration that this share of the samples does not exceed, in ms; null where there is no sample. */
  quantile(share: number, nowMs: number): number | null {
    this.#decay(nowMs)
    if (this.#total < 0.5) return null
    let left = this.#total * share
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] ?? 0
      // The middle of the bucket, by ratio.
      if (left <= 1e-9) return Math.exp((bucket + 0.5) * GROWTH)
    }
    return Math.exp(BUCKETS * GROWTH)
  }

  #decay(nowMs: number): void {
    if (this.#total === 0) this.#halvedMs = nowMs
    const halves = Math.floor((nowMs - this.#halvedMs) / HALF_LIFE_MS)
    if (halves < 1) return
    this.#halvedMs += halves * HALF_LIFE_MS
    const factor = 0.5 ** halves
    this.#total = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = (this.#counts[bucket] ?? 0) * factor
      this.#counts[bucket] = count < 1e-3 ? 0 : count
      this.#total += this.#counts[bucket] ?? 0
    }
  }
}
