// `weighted`: each call draws its order anew; the chance to come next is a target's share of the weight that is left.
import type { Ranked, Strategy } from './strategy.ts'
import type { Target } from './target.ts'

/** All targets in a random order. */
export function drawAll(targets: readonly Target[], random: () => number): Target[] {
  const drawn = [...targets]
  let weightLeft = 0
  for (const { weight } of drawn) weightLeft += weight
  for (let next = 0; next < drawn.length - 1; next++) {
    let point = random() * weightLeft
    let at = next
    while (at < drawn.length - 1 && point >= (drawn[at]?.weight ?? 0)) point -= drawn[at++]?.weight ?? 0
    const chosen = drawn[at]
    if (!chosen) break
    // Those that were passed over keep their order.
    drawn.copyWithin(next + 1, next, at)
    drawn[next] = chosen
    weightLeft -= chosen.weight
  }
  return drawn
}

export const weighted: Strategy = (targets, { random }): Ranked[] =>
  drawAll(targets, random).map((target) => ({ target, score: null }))
