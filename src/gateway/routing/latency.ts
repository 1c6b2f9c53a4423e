// `latency`: power of two choices (Mitzenmacher, 2001). Two are drawn by weight, and the one that is expected to bring
// its first content sooner goes first: its average, times the calls that are in line there with this one. Always
// choosing the fastest would send everybody there at once and never notice that another became fast.
import type { Strategy } from './strategy.ts'
import { sortByScore } from './strategy.ts'
import type { Target } from './target.ts'
import { drawAll } from './weighted.ts'

/** Slower than anything known. */
const UNKNOWN_MS = 3_600_000

export const latency: Strategy = (targets, { ask, nowMs, random }) => {
  const ranked = drawAll(targets, random).map((target) => ({ target, score: expectedMs(target, ask.stream, nowMs) }))
  const [first, second] = ranked
  if (first && second && second.score < first.score) {
    ranked[0] = second
    ranked[1] = first
  }
  // Whoever lost stands by with the others, in the order of what they promise.
  return sortByScore(ranked, 1)
}

/** What is unknown is tried by one call at a time: until that has told, everybody else goes where it is known. */
function expectedMs({ load, weight }: Target, stream: boolean, nowMs: number): number {
  const ms = load.firstContentMs(stream, nowMs)
  if (ms === null) return load.inFlight === 0 ? 0 : (UNKNOWN_MS * load.inFlight) / weight
  return (ms * (load.inFlight + 1)) / weight
}
