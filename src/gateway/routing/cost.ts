// `cost`: the cheapest for this call first, whose price is unknown last. Among equals weight draws.
import type { Strategy } from './strategy.ts'
import { sortByScore } from './strategy.ts'
import { drawAll } from './weighted.ts'

export const cost: Strategy = (targets, weighing) =>
  sortByScore(drawAll(targets, weighing.random).map((target) => ({ target, score: weighing.expectedCost(target) })))
