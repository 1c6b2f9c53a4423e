// Work that is not done in time. What waits grows by what comes less what is worked off: a queue that grows although no more
// comes than before, at a service that works well, is owed by those who should work it off, also where their own pace is
// within what was seen of them before.
import type { Anomaly } from '../anomalies.ts'
import { loaded, worstOf, type Context } from '../context.ts'
import type { Finding } from '../findings.ts'
import { sayAnomaly } from '../wording.ts'
import { byAnomaly, type Rule } from './weighing.ts'

/** A queue that grows, at the service that holds it. */
export const backlog: Rule = (context, service) => {
  const { share } = context.blame.explained(service)
  const slowed = Math.max(0, ...consumersOf(context, service).map((one) => slowdown(context, one)?.strength ?? 0))
  const passedOn = Math.max(0.7 * slowed, 0.6 * owed(context, service))
  const left = (1 - 0.7 * share) * (1 - 0.8 * loaded(context, service)) * (1 - passedOn)
  const found: Finding[] = []
  const depth = worstOf(context, service, 'queue_depth')
  if (depth) found.push(byAnomaly(service, 'queue', 2.2 * depth.strength * left, ['queue_backlog'], depth))
  const age = worstOf(context, service, 'queue_age')
  if (age) found.push(byAnomaly(service, 'queue age', 1.4 * age.strength * left, ['queue_backlog'], age))
  return found
}

/** A queue that grows elsewhere, at the service that should work it off. */
export const consumer: Rule = (context, service) => {
  const { share } = context.blame.explained(service)
  const slower = slowdown(context, service)
  return (context.queuesOf.get(service) ?? []).flatMap((holder) => {
    const waiting = worstOf(context, holder, 'queue_depth', 'queue_age')
    if (!waiting) return []
    const left = waiting.strength * (1 - 0.6 * share)
    const found = [byAnomaly(service, 'queue', (1.6 + 0.8 * owed(context, holder)) * left, ['queue_backlog'], waiting)]
    if (!slower) return found
    const claim = `${sayAnomaly(slower)}, while the queue of ${holder} grows`
    found.push(byAnomaly(service, 'works less', 1.4 * left * slower.strength, 'any', slower, claim))
    found.push(byAnomaly(service, 'works less:kind', 1.2 * left * slower.strength, ['queue_backlog'], slower, claim))
    return found
  })
}

/** How far the growth of a queue is the doing of those who work it off, 0 to 1: they are known, no more comes, and it answers. */
const owed = (context: Context, holder: string): number =>
  consumersOf(context, holder).length === 0
    ? 0
    : (1 - loaded(context, holder)) * (1 - context.blame.symptom(holder)) * (context.network.has(holder) ? 0 : 1)

const consumersOf = (context: Context, holder: string): string[] =>
  [...context.queuesOf].filter(([, holders]) => holders.includes(holder)).map(([service]) => service)

function slowdown(context: Context, service: string): Anomaly | undefined {
  const falls = (context.byService.get(service) ?? []).filter(
    ({ signal, direction }) => signal.role === 'jobs' && direction === -1,
  )
  return [...falls].sort((a, b) => b.strength - a.strength)[0]
}
