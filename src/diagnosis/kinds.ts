// The rules: what speaks for and against each kind of cause at one service. Each rule reads like the sentence an engineer
// would say; its number is how much that sentence weighs. The numbers were set once, by hand, for all systems alike.
import type { FaultKind } from '../core/fault-kinds.ts'
import type { Change } from '../core/telemetry.ts'
import { keepsRising, type Anomaly } from './anomalies.ts'
import { ERROR_ROLES, LATENCY_ROLES } from './blame.ts'
import { loaded, measureKey, painOf, worstOf, type Context } from './context.ts'
import type { Finding } from './findings.ts'
import type { LogFinding } from './log-evidence.ts'
import { looksLikeDatabase } from './metric-roles.ts'
import type { SignalRole } from './service-signals.ts'
import { clamp } from './stats.ts'
import { distances } from './topology.ts'
import { sayAnomaly, sayValue, timeOfDay } from './wording.ts'

type Rule = (context: Context, service: string) => readonly Finding[]

/** Everything that can be said for or against a service. */
export const judgeService = (context: Context, service: string): Finding[] =>
  RULES.flatMap((rule) => rule(context, service)).filter(({ weight }) => Math.abs(weight) >= 0.02)

const CHANGE_LEAD_MS = 30 * 60_000

const byAnomaly = (
  service: string,
  aspect: string,
  weight: number,
  kinds: Finding['kinds'],
  anomaly: Anomaly,
  claim = sayAnomaly(anomaly),
): Finding => ({ service, aspect, weight, kinds, claim, source: { kind: 'anomaly', anomaly } })

/** What a service suffers that none of its callees explains. */
const symptoms: Rule = (context, service) => {
  const { share, by, edge } = context.blame.explained(service)
  const found: Finding[] = []
  const own = (1 - share) * unloaded(context, service)
  for (const [aspect, roles, kinds] of SYMPTOMS) {
    const worst = worstOf(context, service, ...roles)
    if (!worst) continue
    const weight = worst.strength * own * fits(context, aspect) * support(context, service, roles) * matters(context, worst)
    found.push(byAnomaly(service, aspect, 1.5 * weight, 'any', worst))
    found.push(byAnomaly(service, `${aspect}:kind`, 0.4 * weight, kinds, worst))
  }
  if (share > 0.2 && by !== undefined) {
    const own = Math.max(0.3, context.blame.symptom(service))
    const claim = `${service}'s trouble is explained by its calls to ${by}`
    const source: Finding['source'] = edge?.worst
      ? { kind: 'anomaly', anomaly: edge.worst }
      : { kind: 'topology', path: [service, by] }
    found.push({ service, aspect: 'explained', weight: -1.8 * share * own, kinds: 'any', claim, source })
  }
  return found
}

/** What suffers from a load that was passed down to it is a victim of the load; where the load enters, it is the cause. */
const unloaded = (context: Context, service: string): number =>
  context.loads.get(service)?.origin === 'outside' ? 1 : 1 - 0.7 * loaded(context, service)

/** Where users feel only errors, lateness elsewhere is beside the point, and the other way round. */
function fits(context: Context, aspect: 'errors' | 'latency'): number {
  const { errors, latency } = context.felt
  const [same, other] = aspect === 'errors' ? [errors, latency] : [latency, errors]
  return same >= 0.15 || other < 0.15 ? 1 : 0.55
}

/** A lateness of milliseconds is not why users wait for seconds, however unusual it is. */
function matters(context: Context, anomaly: Anomaly): number {
  const lost = context.lost.get(measureKey(anomaly.signal))
  if (lost === undefined || lost <= 0 || !LATENCY_ROLES.includes(anomaly.signal.role)) return 1
  return clamp((anomaly.after - anomaly.before) / (0.15 * lost), 0.15, 1)
}

/** One of many percentiles and operations may stray by chance; most of them together do not. */
function support(context: Context, service: string, roles: readonly SignalRole[]): number {
  const all = context.signalCounts.get(service)
  const total = roles.reduce((sum, role) => sum + (all?.get(role) ?? 0), 0)
  const strayed = (context.byService.get(service) ?? []).filter(({ signal }) => roles.includes(signal.role)).length
  return total === 0 ? 1 : 0.6 + 0.4 * Math.min(1, (2 * strayed) / total)
}

const SYMPTOMS: readonly (readonly ['errors' | 'latency', readonly SignalRole[], readonly FaultKind[]])[] = [
  ['errors', ERROR_ROLES, ['bad_deploy', 'bad_config']],
  ['latency', LATENCY_ROLES, ['slow_dependency']],
]

/** What its callers see of it. */
const accusations: Rule = (context, service) => {
  const { strength, edge, callers } = context.blame.accused(service)
  if (!edge?.worst || strength < 0.05) return []
  const { share } = context.blame.explained(service)
  const own = (1 - share) * unloaded(context, service)
  const weight = 1.6 * strength * own * (callers > 1 ? 1.15 : 1)
  const found = [byAnomaly(service, 'callers', weight, 'any', edge.worst)]
  const outside = !context.observed.has(service)
  if (looksLikeDatabase(service)) return found
  if (edge.latency > 0.1 && edge.latency >= 0.6 * edge.errors) {
    found.push(byAnomaly(service, 'callers:late', (outside ? 2 : 0.8) * edge.latency * own, ['slow_dependency'], edge.worst))
  } else if (edge.errors > 0.3) {
    found.push(byAnomaly(service, 'callers:down', (outside ? 2 : 0.3) * edge.errors, ['down'], edge.worst))
  }
  return found
}

/** What is left of an anomaly once the part that more requests explain is taken away. */
function beyondLoad(context: Context, service: string, anomaly: Anomaly): number {
  const load = context.loads.get(service)
  if (!load || load.rise.before <= 0) return anomaly.strength
  const grew = load.rise.after / load.rise.before
  const rose = anomaly.before > 0 ? anomaly.after / anomaly.before : Number.POSITIVE_INFINITY
  return anomaly.strength * clamp((rose / grew - 1) / 1.2, 0.1, 1)
}

const saturation: Rule = (context, service) => {
  const found: Finding[] = []
  const { share } = context.blame.explained(service)
  const seen = 0.4 + 0.6 * clamp(relevance(context, service), 0, 1)
  const cpu = worstOf(context, service, 'cpu')
  if (cpu) found.push(byAnomaly(service, 'cpu', 3 * beyondLoad(context, service, cpu) * seen, ['cpu'], cpu))
  const lag = worstOf(context, service, 'event_loop')
  if (lag) {
    const own = beyondLoad(context, service, lag) * seen
    found.push(byAnomaly(service, 'event loop', 1.2 * own, ['cpu', 'memory_leak'], lag))
    found.push(byAnomaly(service, 'own', 0.5 * own, 'any', lag))
  }
  const memory = worstOf(context, service, 'memory')
  if (memory) {
    const leaking = keepsRising(memory) ? 3 : 1.2
    found.push(byAnomaly(service, 'memory', leaking * memory.strength * seen, ['memory_leak'], memory))
  }
  // A slow callee keeps connections busy: then the pool is a victim too.
  const slowQueries = worstOf(context, service, 'database_latency')?.strength ?? 0
  const own = 1 - 0.85 * Math.max(share, slowQueries, loaded(context, service))
  const waiting = worstOf(context, service, 'pool_waiting')
  if (waiting) found.push(byAnomaly(service, 'pool waiting', 2.4 * waiting.strength * own * seen, ['pool_exhausted'], waiting))
  const used = worstOf(context, service, 'pool_use')
  if (used) found.push(byAnomaly(service, 'pool use', 1.4 * used.strength * own * seen, ['pool_exhausted'], used))
  const surge = 1 - 0.8 * loaded(context, service)
  const depth = worstOf(context, service, 'queue_depth')
  if (depth) found.push(byAnomaly(service, 'queue', 2.2 * depth.strength * (1 - 0.7 * share) * surge, ['queue_backlog'], depth))
  const age = worstOf(context, service, 'queue_age')
  if (age) found.push(byAnomaly(service, 'queue age', 1.4 * age.strength * (1 - 0.7 * share) * surge, ['queue_backlog'], age))
  const disk = worstOf(context, service, 'disk_use')
  if (disk) found.push(byAnomaly(service, 'disk', 3.4 * disk.strength, ['disk_full'], disk))
  const expired = worstOf(context, service, 'credential_left')
  if (expired) found.push(byAnomaly(service, 'credential', 3.4 * expired.strength, ['credential_expired'], expired))
  const refused = worstOf(context, service, 'client_refused')
  if (refused) found.push(byAnomaly(service, 'refused', 2.2 * refused.strength, ['credential_expired'], refused))
  return found
}

function relevance(context: Context, service: string): number {
  return Math.max(painOf(context, service) / 0.3, context.alerted.has(service) ? 1 : 0)
}

const absence: Rule = (context, service) => {
  const found: Finding[] = []
  const up = worstOf(context, service, 'up')
  if (up) found.push(byAnomaly(service, 'up', 4 * up.strength, ['down'], up))
  return found
}

/** Time that is lost on the way, at the end all of whose edges lose it. */
const network: Rule = (context, service) => {
  const trouble = context.network.get(service)
  if (!trouble) return []
  const own = trouble.share * unloaded(context, service)
  return [
    byAnomaly(service, 'network', 1.8 * own, 'any', trouble.worst),
    byAnomaly(service, 'network:kind', 0.9 * own, ['slow_dependency'], trouble.worst),
  ]
}

/** What is seen of a front door from outside, and explained by nothing behind it. */
const frontDoor: Rule = (context, service) => {
  const { share } = context.blame.explained(service)
  return (context.topology.callers.get(service) ?? [])
    .filter((caller) => context.observers.has(caller))
    .flatMap((caller) => {
      const worst = worstOf(context, caller, ...ERROR_ROLES, ...LATENCY_ROLES)
      return worst ? [byAnomaly(service, 'seen from outside', 1.2 * worst.strength * (1 - share), 'any', worst)] : []
    })
}

const database: Rule = (context, service) => {
  if (!looksLikeDatabase(service)) return []
  const found: Finding[] = []
  const { edge, strength } = context.blame.accused(service)
  const left = 1 - 0.8 * loaded(context, service)
  const own = worstOf(context, service, 'database_latency', 'latency')
  if (own) found.push(byAnomaly(service, 'query time', 2.2 * own.strength * left * matters(context, own), ['slow_database'], own))
  if (edge?.worst && edge.latency >= 0.5 * edge.errors) {
    found.push(byAnomaly(service, 'callers:queries', 2 * strength * left, ['slow_database'], edge.worst))
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
    const weight = 2.2 * worst.strength * left * (callers > 1 ? 1.2 : 1)
    found.push(byAnomaly(service, "callers' query time", weight, ['slow_database'], worst))
  }
  return found
}

const surge: Rule = (context, service) => {
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
const habits: Rule = (context, service) => {
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

const providers: Rule = (context, service) => {
  if (!context.providers.has(service)) return []
  const found: Finding[] = []
  const about = context.anomalies.filter(({ signal }) => signal.role.startsWith('provider') && signal.peer === service)
  for (const one of about) {
    const weight = one.signal.role === 'provider_latency' ? 2 : 3
    found.push(byAnomaly(service, one.signal.role, weight * one.strength, ['provider_failure'], one))
  }
  const own = worstOf(context, service, 'errors', 'latency')
  const { edge, strength } = context.blame.accused(service)
  if (own) found.push(byAnomaly(service, 'provider', 2.5 * own.strength, ['provider_failure'], own))
  else if (edge?.worst) found.push(byAnomaly(service, 'provider', 2.5 * strength, ['provider_failure'], edge.worst))
  return found
}

const CHANGES: Readonly<Record<Change['kind'], readonly FaultKind[]>> = {
  deploy: ['bad_deploy'],
  config: ['bad_config'],
  flag: ['bad_config'],
  scale: ['bad_config'],
  restart: [],
  other: ['bad_config'],
}

/** A change shortly before the trouble of its own service; what comes after it is no cause. */
const changes: Rule = (context, service) => {
  const own = (context.byService.get(service) ?? []).filter(({ strength }) => strength > 0.2)
  const startMs = own.reduce((least, one) => Math.min(least, one.onsetMs), context.onsetMs)
  const slack = Math.max(2 * context.window.stepMs, 3000)
  const pain = clamp(painOf(context, service) / 0.25, 0, 1)
  return context.changes
    .filter((change) => change.service === service && change.at <= Math.max(startMs, context.onsetMs) + slack)
    .flatMap((change) => {
      const agoMs = Math.max(0, startMs - change.at)
      if (agoMs > CHANGE_LEAD_MS) return []
      const recent = Math.exp(-agoMs / (5 * 60_000))
      const ago = sayValue(Math.round(agoMs / 1000), 's')
      const claim = `${service} was changed at ${timeOfDay(change.at)}, ${ago} before its trouble began: ${change.summary}`
      const source: Finding['source'] = { kind: 'change', change }
      return [
        { service, aspect: 'change', weight: 1 * recent * pain, kinds: 'any' as const, claim, source },
        { service, aspect: 'change:kind', weight: 2.4 * recent * pain, kinds: CHANGES[change.kind], claim, source },
      ]
    })
}

const logs: Rule = (context, service) => {
  const found: Finding[] = []
  const { share } = context.blame.explained(service)
  // An error that begins below is told again by everyone above; silence that begins above is heard by everyone below.
  const complaints = (log: LogFinding): number =>
    1 - 0.7 * Math.max(share, Math.min(1, loudestBelow(context, service) / Math.max(0.1, log.strength)))
  const silence = 1 - 0.7 * quietestAbove(context, service)
  for (const log of context.logs) {
    const source: Finding['source'] = { kind: 'log', log }
    const claim = sayLog(log)
    if (log.service === service) {
      const own = log.change === 'vanished' ? silence : log.mentions.length > 0 ? 0.25 * complaints(log) : complaints(log)
      found.push({ service, aspect: 'logs', weight: 2.2 * log.strength * own, kinds: 'any', claim, source })
      const kinds = log.kinds.filter((kind) => !ABOUT_CALLEE.has(kind))
      if (kinds.length > 0) found.push({ service, aspect: 'log words', weight: 1.1 * log.strength * own, kinds, claim, source })
    } else if (log.mentions.includes(service) && isComplaint(log)) {
      const kinds = log.kinds.filter((kind) => ABOUT_CALLEE.has(kind))
      const naming = `${claim}; it names ${service}`
      found.push({ service, aspect: 'named in logs', weight: 0.5 * log.strength, kinds: 'any', claim: naming, source })
      if (kinds.length > 0) {
        found.push({ service, aspect: 'words about it', weight: 1.1 * log.strength, kinds, claim: naming, source })
      }
    }
  }
  return found
}

const isComplaint = (log: LogFinding): boolean =>
  log.change !== 'vanished' && log.level !== 'info' && log.level !== 'debug' && log.strength > 0.2

/** The strongest new complaint in the logs of anything this service calls, directly or not. */
function loudestBelow(context: Context, service: string): number {
  const below = distances(context.topology, [service])
  return context.logs.reduce(
    (most, log) =>
      log.service !== service && below.has(log.service) && isComplaint(log) ? Math.max(most, log.strength) : most,
    0,
  )
}

/** The strongest silence in the logs of those that call this service. */
function quietestAbove(context: Context, service: string): number {
  const callers = context.topology.callers.get(service) ?? []
  return context.logs.reduce(
    (most, log) => (log.change === 'vanished' && callers.includes(log.service) ? Math.max(most, log.strength) : most),
    0,
  )
}

const ABOUT_CALLEE: ReadonlySet<FaultKind> = new Set(['down', 'slow_dependency', 'provider_failure', 'slow_database'])

const sayLog = (log: LogFinding): string => {
  const how =
    log.change === 'new'
      ? `writes a new line since ${timeOfDay(log.firstMs)} (${log.countAfter} times)`
      : log.change === 'surged'
        ? `writes a line far more often (${log.countAfter} times, before ${log.countBefore})`
        : `writes a line no longer, or hardly (${log.countAfter} times, before ${log.countBefore})`
  return `${log.service} ${how}: ${log.template.slice(0, 160)}`
}

/** The first to move among those that suffer is nearer to the cause. */
const timing: Rule = (context, service) => {
  const moved = (context.byService.get(service) ?? []).filter(({ strength }) => strength > 0.3)
  const [first] = [...moved].sort((a, b) => a.onsetMs - b.onsetMs || b.strength - a.strength)
  if (!first) return []
  const leadMs = context.onsetMs - first.onsetMs
  const steps = leadMs / Math.max(1, context.window.stepMs)
  const weight = 0.4 * clamp((steps + 3) / 4, 0, 1) * clamp(painOf(context, service) / 0.3, 0, 1)
  return [byAnomaly(service, 'timing', weight, 'any', first)]
}

/** What the alerts cannot reach by calls is unlikely to be their cause. */
const reach: Rule = (context, service) => {
  const known = [...context.alerted].some((one) => (context.topology.callees.get(one) ?? []).length > 0)
  if (!known || context.distance.has(service) || context.alerted.size === 0) return []
  const claim = `No alerted service calls ${service}, directly or through others`
  const source: Finding['source'] = { kind: 'topology', path: [service] }
  return [{ service, aspect: 'reach', weight: -1.2, kinds: 'any', claim, source }]
}

const RULES: readonly Rule[] = [
  symptoms,
  accusations,
  saturation,
  absence,
  network,
  frontDoor,
  database,
  surge,
  habits,
  providers,
  changes,
  logs,
  timing,
  reach,
]
