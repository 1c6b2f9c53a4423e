// Who suffers without another to explain it, and whom the callers accuse.
import type { FaultKind } from '../../core/fault-kinds.ts'
import { ERROR_ROLES, LATENCY_ROLES } from '../blame.ts'
import { painOf, worstOf } from '../context.ts'
import type { Finding } from '../findings.ts'
import { accountsForTime, matters } from '../loss.ts'
import { looksLikeDatabase } from '../metric-roles.ts'
import type { SignalRole } from '../service-signals.ts'
import { clamp } from '../stats.ts'
import { accountable, byAnomaly, fits, support, unloaded, type Rule } from './weighing.ts'

const SYMPTOMS: readonly (readonly ['errors' | 'latency', readonly SignalRole[], readonly FaultKind[]])[] = [
  ['errors', ERROR_ROLES, ['bad_deploy', 'bad_config']],
  ['latency', LATENCY_ROLES, ['slow_dependency']],
]

/** What a service suffers that none of its callees explains. */
export const symptoms: Rule = (context, service) => {
  const { share, by, edge } = context.blame.explained(service)
  const found: Finding[] = []
  const own = (1 - share) * unloaded(context, service) * accountable(context, service)
  for (const [aspect, roles, kinds] of SYMPTOMS) {
    const worst = worstOf(context, service, ...roles)
    if (!worst) continue
    const weight =
      worst.strength * own * fits(context, aspect) * support(context, service, roles) * matters(context.loss, worst)
    found.push(byAnomaly(service, aspect, 1.5 * weight, 'any', worst))
    found.push(byAnomaly(service, `${aspect}:kind`, 0.4 * weight, kinds, worst))
  }
  if (share > 0.2 && by !== undefined) {
    // What is lost before its clock begins is no part of what it measures, and not explained by it.
    const before = clamp(1.5 * (context.network.get(service)?.incoming ?? 0), 0, 1)
    const own = Math.max(0.3, context.blame.symptom(service)) * (1 - 0.8 * before)
    const claim = `${service}'s trouble is explained by its calls to ${by}`
    const source: Finding['source'] = edge?.worst
      ? { kind: 'anomaly', anomaly: edge.worst }
      : { kind: 'topology', path: [service, by] }
    const fitting = edge ? fits(context, edge.latency >= edge.errors ? 'latency' : 'errors') : 1
    found.push({ service, aspect: 'explained', weight: -1.8 * share * own * fitting, kinds: 'any', claim, source })
  }
  return found
}

/** Of many that are measured alike it alone moved, beside those where the alerts point. */
export const alone: Rule = (context, service) => {
  const found: Finding[] = []
  for (const [aspect, roles] of SYMPTOMS) {
    const worst = worstOf(context, service, ...roles)
    if (!worst || worst.strength < 0.25 || context.alerted.has(service) || context.felt[aspect] === 0) continue
    const measured = [...context.signalCounts].filter(([, counts]) => roles.some((role) => counts.has(role)))
    const others = measured.filter(
      ([one]) => one !== service && !context.alerted.has(one) && !context.observers.has(one),
    )
    if (others.length < MANY || others.some(([one]) => (worstOf(context, one, ...roles)?.strength ?? 0) > 0.1)) continue
    const claim = `Of ${others.length + 1} services whose ${aspect} ${aspect === 'errors' ? 'are' : 'is'} measured, ${service} alone moved`
    found.push(byAnomaly(service, `${aspect}:alone`, 0.8 * fits(context, aspect), 'any', worst, claim))
  }
  return found
}

/** Among fewer, one alone says little. */
const MANY = 5

/** What its callers see of it. */
export const accusations: Rule = (context, service) => {
  const { strength, edge, callers } = context.blame.accused(service)
  if (!edge?.worst || strength < 0.05) return []
  const explained = context.blame.explained(service)
  const late = edge.latency >= edge.errors
  // What it suffers itself may be explained, and be little beside what its callers wait for.
  const share = explained.share * (late ? accountsForTime(edge.worst, explained.edge?.worst) : 1)
  const fitting = fits(context, late ? 'latency' : 'errors')
  const own = (1 - share) * unloaded(context, service) * matters(context.loss, edge.worst) * fitting
  const weight = 1.6 * strength * own * (callers > 1 ? 1.15 : 1)
  const found = [byAnomaly(service, 'callers', weight, 'any', edge.worst)]
  const outside = !context.observed.has(service)
  if (looksLikeDatabase(service)) return found
  if (edge.latency > 0.1 && edge.latency >= 0.6 * edge.errors) {
    found.push(
      byAnomaly(service, 'callers:late', (outside ? 2 : 0.8) * edge.latency * own, ['slow_dependency'], edge.worst),
    )
  } else if (edge.errors > 0.3) {
    found.push(byAnomaly(service, 'callers:down', (outside ? 2 : 0.3) * edge.errors, ['down'], edge.worst))
  }
  return found
}

/** Time that is lost on the way, at the end all of whose edges lose it. */
export const network: Rule = (context, service) => {
  const trouble = context.network.get(service)
  if (!trouble) return []
  const own = trouble.share * unloaded(context, service) * fits(context, 'latency')
  return [
    byAnomaly(service, 'network', 1.8 * own, 'any', trouble.worst),
    byAnomaly(service, 'network:kind', 0.9 * own, ['slow_dependency'], trouble.worst),
  ]
}

/** What is seen of a front door from outside, and explained by nothing behind it. */
export const frontDoor: Rule = (context, service) => {
  const { share, edge } = context.blame.explained(service)
  return (context.topology.callers.get(service) ?? [])
    .filter((caller) => context.observers.has(caller))
    .flatMap((caller) => {
      const worst = worstOf(context, caller, ...ERROR_ROLES, ...LATENCY_ROLES)
      if (!worst) return []
      // A little lateness below does not explain errors above.
      const errors = ERROR_ROLES.includes(worst.signal.role)
      const told = edge && errors && edge.latency > edge.errors ? share * fits(context, 'latency') : share
      return [byAnomaly(service, 'seen from outside', 1.2 * worst.strength * (1 - told), 'any', worst)]
    })
}

/** The first to move among those that suffer is nearer to the cause. */
export const timing: Rule = (context, service) => {
  const moved = (context.byService.get(service) ?? []).filter(({ strength }) => strength > 0.3)
  const [first] = [...moved].sort((a, b) => a.onsetMs - b.onsetMs || b.strength - a.strength)
  if (!first) return []
  const leadMs = context.onsetMs - first.onsetMs
  const steps = leadMs / Math.max(1, context.window.stepMs)
  const weight = 0.4 * clamp((steps + 3) / 4, 0, 1) * clamp(painOf(context, service) / 0.3, 0, 1)
  return [byAnomaly(service, 'timing', weight, 'any', first)]
}

/** What the alerts cannot reach by calls is unlikely to be their cause: the more so, the better its calls are known. */
export const reach: Rule = (context, service) => {
  const { topology, alerted, distance } = context
  const known = [...alerted].some((one) => (topology.callees.get(one) ?? []).length > 0)
  if (!known || distance.has(service)) return []
  const placed = topology.callers.has(service) || topology.callees.has(service)
  const claim = `No alerted service calls ${service}, directly or through others`
  const source: Finding['source'] = { kind: 'topology', path: [service] }
  return [{ service, aspect: 'reach', weight: placed ? -2.5 : -1.2, kinds: 'any', claim, source }]
}
