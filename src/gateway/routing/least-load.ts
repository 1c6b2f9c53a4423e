// `least-load`: calls under way divided by weight, lowest first. Among equals (idle ones above all) weight draws.
import type { Strategy } from './strategy.ts'
import { sortByScore } from './strategy.ts'
import { drawAll } from './weighted.ts'

export const leastLoad: Strategy = (targets, { random }) =>
  sortByScore(drawAll(targets, random).map((target) => ({ target, score: target.load.inFlight / target.weight })))
