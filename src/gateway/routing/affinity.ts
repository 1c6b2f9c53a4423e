// `affinity`: calls whose prompts begin alike go to the same target, so that its prompt cache is hit. Weighted rendezvous
// hashing (Schindelhauer and Schomaker, 2005): a target that comes or goes moves only its own share of the prompts. With
// a bound on the load (Mirrokni and others, 2016): a target that carries a quarter more than its share stands behind
// those that do not, so that one hot prompt does not drown it; the overflow goes to the prompt's second choice, again
// the same for all.
import { mixed, prefixHash } from './prompt-prefix.ts'
import type { Ranked, Strategy } from './strategy.ts'
import { sortByScore } from './strategy.ts'
import type { Target } from './target.ts'

const BOUND = 1.25
/** So many calls at once overload nobody, however few there are in all. */
const ALWAYS_FINE = 8

export const affinity: Strategy = (targets, { ask, tenant }) => {
  const prefix = prefixHash(ask.body, tenant)
  const ranked = sortByScore(targets.map((target) => ({ target, score: distance(prefix, target) })))
  const full = fullTargets(targets)
  if (full.size === 0) return ranked
  const isFull = ({ target }: Ranked): boolean => full.has(target)
  return [...ranked.filter((one) => !isFull(one)), ...ranked.filter(isFull)]
}

/** Exponentially distributed with the rate of the weight: the least of several is each one's by its share. */
function distance(prefix: number, { hash, weight }: Target): number {
  const uniform = (mixed(prefix ^ hash) + 0.5) / 2 ** 32
  return -Math.log(uniform) / weight
}

const NONE: ReadonlySet<Target> = new Set()

function fullTargets(targets: readonly Target[]): ReadonlySet<Target> {
  let calls = 1
  let weights = 0
  for (const { load, weight } of targets) {
    calls += load.inFlight
    weights += weight
  }
  if (calls <= ALWAYS_FINE) return NONE
  const isFull = ({ load, weight }: Target): boolean =>
    load.inFlight >= Math.max(ALWAYS_FINE, Math.ceil((BOUND * calls * weight) / weights))
  return targets.some(isFull) ? new Set(targets.filter(isFull)) : NONE
}
