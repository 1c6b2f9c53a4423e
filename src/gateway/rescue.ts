// Going on elsewhere with an answer that broke off after its first content.
import { continueBehind, spliceOnto } from './continuation.ts'
import type { Target } from './plan.ts'
import type { Said } from './said.ts'
import type { GatewayParts } from './serve.ts'
import { type Pursuit, tryTarget } from './try-target.ts'

/** At the targets that were not tried, else once more at the one that failed. False: the answer stays broken off. */
export async function rescue(
  parts: GatewayParts,
  pursuit: Pursuit,
  failed: Target,
  untried: readonly Target[],
): Promise<boolean> {
  const { run, delivery } = pursuit
  let tried = false
  for (const target of untried.length > 0 ? untried : [failed]) {
    const said = await delivery.takeOver()
    if (typeof said === 'string') {
      if (!tried) run.unrescued = said
      return false
    }
    for (const continuation of continuationsAt(parts, target, said)) {
      const entry = target.breaker.tryEnter(true)
      if (entry.kind === 'open') {
        if (!tried) run.unrescued = 'breaker open'
        break
      }
      tried = true
      run.unrescued = undefined
      const length = said.length
      delivery.disown()
      const { done } = tryTarget(parts, pursuit, target, entry, { reason: 'rescue', othersLeft: false, continuation })
      const end = await done
      if (end.kind === 'completed') {
        run.rescued = continuation.kind
        return true
      }
      if (end.kind !== 'failed') return false
      // It went on for a while, and what it said is said: the next one has to start from there.
      if (said.length > length) break
    }
  }
  return false
}

/** A prefill first where it is taken: it cannot say something else. A model may refuse one all the same. */
function continuationsAt(parts: GatewayParts, target: Target, said: Said) {
  const prefills = target.prefill ?? parts.providers.get(target.provider)?.takesPrefill(target.model) ?? false
  return said.onlyText && said.text.trim() !== '' && prefills
    ? [continueBehind(said), spliceOnto(said)]
    : [spliceOnto(said)]
}
