// More work than before, from outside or of a service's own making; and those that everybody depends on: databases and
// model providers.
import type { Anomaly } from '../anomalies.ts'
import { loaded, worstOf } from '../context.ts'
import type { Finding } from '../findings.ts'
import { matters } from '../loss.ts'
import { looksLikeDatabase } from '../metric-roles.ts'
import { clamp } from '../stats.ts'
import { sayAnomaly } from '../wording.ts'
import { accountable, byAnomaly, fits, relevance, support, type Rule } from './weighing.ts'

export const surge: Rule = (context, service) => {
  const load = context.loads.get(service)
  if (!load || load.origin === 'made by a caller') return []
  const hurt = worstOf(context, service, 'errors', 'latency')
  // Retries come after the failure that they retry; a surge comes before.
  const first = !hurt || load.rise.onsetMs <= hurt.onsetMs + 3 * context.window.stepMs
  const felt = Math.max(0.35, clamp(relevance(context, service), 0, 1))
  const weight = 3.6 * load.rise.strength * (load.origin === 'passed on' ? 0.15 : 1) * (first ? 1 : 0.25) * felt
  return [byAnomaly(service, 'load', weight, ['traffic_surge'], load.rise)]
}

/** A service that begins to call another far more, or no longer, for the same work, has changed its mind. */
export const habits: Rule = (context, service) => {
  const { share } = context.blame.explained(service)
  const own = worstOf(context, service, 'requests')
  return (context.topology.callees.get(service) ?? []).flatMap((callee) => {
    const load = context.loads.get(callee)
    if (load?.origin !== 'made by a caller' || context.topology.callers.get(callee)?.length !== 1) return []
    const beyond = load.rise.strength - (own?.direction === 1 ? own.strength : 0)
    // Calls that fail are made again: that is no change of mind.
    const weight = 1.6 * beyond * (1 - 0.8 * context.blame.symptom(callee)) * (1 - share)
    const claim = `${service} calls ${callee} more for the same work: ${sayAnomaly(load.rise)}`
    return weight <= 0 ? [] : [byAnomaly(service, 'habits', weight, ['bad_deploy', 'bad_config'], load.rise, claim)]
  })
}

export const database: Rule = (context, service) => {
  if (!looksLikeDatabase(service)) return []
  const found: Finding[] = []
  const { edge, strength } = context.blame.accused(service)
  const left = (1 - 0.8 * loaded(context, service)) * fits(context, 'latency') * accountable(context, service)
  const own = worstOf(context, service, 'database_latency', 'latency')
  if (own)
    found.push(
      byAnomaly(
        service,
        'query time',
        2.2 * own.strength * left * matters(context.loss, own) * support(context, service, [own.signal.role]),
        ['slow_database'],
        own,
      ),
    )
  if (edge?.worst && edge.latency >= 0.5 * edge.errors) {
    const weight = 2 * strength * left * matters(context.loss, edge.worst)
    found.push(byAnomaly(service, 'callers:queries', weight, ['slow_database'], edge.worst))
  }
  let worst: Anomaly | undefined
  let callers = 0
  for (const caller of context.topology.callers.get(service) ?? []) {
    const queries = worstOf(context, caller, 'database_latency')
    if (!queries) continue
    callers++
    if (!worst || queries.strength > worst.strength) worst = queries
  }
  if (worst) {
    const weight = 2.2 * worst.strength * left * matters(context.loss, worst) * (callers > 1 ? 1.2 : 1)
    found.push(byAnomaly(service, "callers' query time", weight, ['slow_database'], worst))
  }
  return found
}

export const providers: Rule = (context, service) => {
  if (!context.providers.has(service)) return []
  const found: Finding[] = []
  const about = context.anomalies.filter(({ signal }) => signal.role.startsWith('provider') && signal.peer === service)
  for (const one of about) {
    const weight = one.signal.role === 'provider_latency' ? 2 : 3
    found.push(
      byAnomaly(
        service,
        one.signal.role,
        weight * one.strength * matters(context.loss, one),
        ['provider_failure'],
        one,
      ),
    )
  }
  const own = worstOf(context, service, 'errors', 'latency')
  const { edge, strength } = context.blame.accused(service)
  if (own) found.push(byAnomaly(service, 'provider', 2.5 * own.strength, ['provider_failure'], own))
  else if (edge?.worst) found.push(byAnomaly(service, 'provider', 2.5 * strength, ['provider_failure'], edge.worst))
  return found
}
