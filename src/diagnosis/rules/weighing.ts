// What the rules ask before they weigh an observation: is it beyond what load explains, does anybody suffer from it, does it
// matter next to what users lose, and is it more than one percentile straying by chance.
import type { Anomaly } from '../anomalies.ts'
import { loaded, painOf, type Context } from '../context.ts'
import type { Finding } from '../findings.ts'
import type { SignalRole } from '../service-signals.ts'
import { clamp } from '../stats.ts'
import { sayAnomaly } from '../wording.ts'

/** What can be said for or against one service. */
export type Rule = (context: Context, service: string) => readonly Finding[]

export const byAnomaly = (
  service: string,
  aspect: string,
  weight: number,
  kinds: Finding['kinds'],
  anomaly: Anomaly,
  claim = sayAnomaly(anomaly),
): Finding => ({ service, aspect, weight, kinds, claim, source: { kind: 'anomaly', anomaly } })

export function relevance(context: Context, service: string): number {
  return Math.max(painOf(context, service) / 0.3, context.alerted.has(service) ? 1 : 0)
}

/** What suffers from a load that was passed down to it is a victim of the load; where the load enters, it is the cause. */
export const unloaded = (context: Context, service: string): number =>
  context.loads.get(service)?.origin === 'outside' ? 1 : 1 - 0.7 * loaded(context, service)

/** What is left of an anomaly once the part that more requests explain is taken away. */
export function beyondLoad(context: Context, service: string, anomaly: Anomaly): number {
  const load = context.loads.get(service)
  if (!load || load.rise.before <= 0) return anomaly.strength
  const grew = load.rise.after / load.rise.before
  const rose = anomaly.before > 0 ? anomaly.after / anomaly.before : Number.POSITIVE_INFINITY
  return anomaly.strength * clamp((rose / grew - 1) / 1.2, 0.1, 1)
}

/** What users feel more of counts more: where they feel errors above all, lateness is beside the point, and vice versa. */
export function fits(context: Context, aspect: 'errors' | 'latency'): number {
  const { errors, latency } = context.felt
  const [same, other] = aspect === 'errors' ? [errors, latency] : [latency, errors]
  return other < 0.15 ? 1 : clamp(same / other, same === 0 ? 0.3 : 0.55, 1)
}

/** What cannot account for what its callers suffer is beside the point, however unusual it is for itself. */
export const accountable = (context: Context, service: string): number => 0.3 + 0.7 * context.blame.accounts(service)

/** One of many percentiles and operations may stray by chance; most of them together do not. */
export function support(context: Context, service: string, roles: readonly SignalRole[]): number {
  const all = context.signalCounts.get(service)
  const total = roles.reduce((sum, role) => sum + (all?.get(role) ?? 0), 0)
  const strayed = (context.byService.get(service) ?? []).filter(({ signal }) => roles.includes(signal.role)).length
  return total === 0 ? 1 : 0.4 + 0.6 * Math.min(1, (2 * strayed) / total)
}
