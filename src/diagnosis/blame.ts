// Who suffers, and how much of it is somebody else's doing. The loud victim is told from the quiet cause by asking each edge
// of the call graph: does the callee see its own trouble, do its other callers, or does only this caller see all of its
// callees late? (Blame passes along anomalous edges, as in MonitorRank: Kim, Sumbaly and Shah, SIGMETRICS 2013, and
// MicroRCA: Wu et al., NOMS 2020; here as a closed form instead of a random walk, so that each step can be explained.)
import type { Anomaly } from './anomalies.ts'
import { accountsForTime, inSeconds } from './loss.ts'
import type { NetworkTrouble } from './network.ts'
import type { Signal, SignalRole } from './service-signals.ts'
import { clamp, median } from './stats.ts'
import type { Topology } from './topology.ts'

export interface EdgeTrouble {
  readonly caller: string
  readonly callee: string
  /** 0 to 1: how bad the caller finds the callee. */
  readonly strength: number
  /** Errors and lateness apart. */
  readonly errors: number
  readonly latency: number
  /** The callee says who-are-you, or what-is-this: the caller asks wrongly. */
  readonly refused: number
  readonly worst: Anomaly | undefined
  /** Whether the caller measures this edge at all. */
  readonly measured: boolean
}

export interface Explanation {
  /** 0 to 1. */
  readonly share: number
  /** The callee that explains most, and the edge to it. */
  readonly by: string | undefined
  readonly edge: EdgeTrouble | undefined
}

export interface Accusation {
  /** 0 to 1. */
  readonly strength: number
  /** The caller that says it loudest. */
  readonly edge: EdgeTrouble | undefined
  /** How many say it. */
  readonly callers: number
}

export interface Blame {
  /** Errors and latency as the service itself counts them, and whether it answers at all: 0 to 1. */
  symptom(service: string): number
  /** How much of a service's symptoms its callees explain. */
  explained(service: string): Explanation
  /** What the callers hold against a service. */
  accused(service: string): Accusation
  /** How much of what its callers suffer a service can account for, 0 to 1; 1 where none of them suffers. */
  accounts(service: string): number
}

export const ERROR_ROLES: readonly SignalRole[] = ['errors', 'error_rate', 'availability', 'job_errors']
export const LATENCY_ROLES: readonly SignalRole[] = ['latency']

/** The strongest anomalies of a kind: of errors, of lateness. */
interface Pair {
  readonly errors: Anomaly | undefined
  readonly latency: Anomaly | undefined
}

const worse = (pair: Pair): Anomaly | undefined =>
  (pair.errors?.strength ?? 0) >= (pair.latency?.strength ?? 0) ? pair.errors : pair.latency

export function assignBlame(
  topology: Topology,
  signals: readonly Signal[],
  anomalies: readonly Anomaly[],
  network: ReadonlyMap<string, NetworkTrouble>,
): Blame {
  const own = (roles: readonly SignalRole[]) =>
    strongest(anomalies, ({ signal }) => (roles.includes(signal.role) ? signal.service : undefined))
  const onEdge = (...roles: readonly SignalRole[]) =>
    strongest(anomalies, ({ signal }) =>
      signal.peer !== undefined && roles.includes(signal.role) ? edgeKey(signal.service, signal.peer) : undefined,
    )
  const [errors, latency, down] = [own(ERROR_ROLES), own(LATENCY_ROLES), own(['up'])]
  const [edgeErrors, edgeLatency, edgeRefused] = [
    onEdge('client_errors'),
    // Time lost on the way is part of what the caller waits, and shows where the whole is too unsteady to tell.
    onEdge('client_latency', 'edge_gap'),
    onEdge('client_refused', 'client_rejected'),
  ]
  const lostOnEdge = new Map<string, number>()
  for (const { signal, before, after, strength } of anomalies) {
    const lost =
      signal.role === 'client_latency' && strength >= PLAIN ? inSeconds(after - before, signal.unit) : undefined
    if (lost === undefined || signal.peer === undefined) continue
    const at = edgeKey(signal.service, signal.peer)
    lostOnEdge.set(at, Math.max(lostOnEdge.get(at) ?? 0, lost))
  }
  const measuredEdges = new Set(
    signals.flatMap(({ role, service, peer }) =>
      peer !== undefined && (role === 'client_errors' || role === 'client_latency') ? [edgeKey(service, peer)] : [],
    ),
  )
  const symptomRoles = new Set<SignalRole>([...ERROR_ROLES, ...LATENCY_ROLES])
  const measuredServices = new Set(signals.filter(({ role }) => symptomRoles.has(role)).map(({ service }) => service))
  const ownPair = (service: string): Pair => ({
    errors: strongerOf(errors.get(service), down.get(service)),
    latency: latency.get(service),
  })
  const symptom = (service: string): number => worse(ownPair(service))?.strength ?? 0

  /** What a caller sees of a callee; where it does not measure, what the callee says of itself. */
  const seen = (caller: string, callee: string): Pair & { readonly measured: boolean } => {
    const at = edgeKey(caller, callee)
    if (!measuredEdges.has(at)) return { ...ownPair(callee), measured: false }
    return { errors: edgeErrors.get(at), latency: edgeLatency.get(at), measured: true }
  }

  const edge = (caller: string, callee: string): EdgeTrouble => {
    const pair = seen(caller, callee)
    const worst = worse(pair)
    return {
      caller,
      callee,
      strength: worst?.strength ?? 0,
      errors: pair.errors?.strength ?? 0,
      latency: pair.latency?.strength ?? 0,
      refused: edgeRefused.get(edgeKey(caller, callee))?.strength ?? 0,
      worst,
      measured: pair.measured,
    }
  }

  /**
   * Seconds that those who call a service lose on it. A service that has no processor left answers late before its own clock
   * begins: what it measures of itself is then the least of it. One caller that is late with everything proves nothing.
   */
  const lostByCallers = (service: string): number => {
    const callers = (topology.callers.get(service) ?? []).filter((caller) =>
      measuredEdges.has(edgeKey(caller, service)),
    )
    const [only] = callers
    if (only === undefined) return 0
    if (callers.length > 1)
      return median(Float64Array.from(callers, (caller) => lostOnEdge.get(edgeKey(caller, service)) ?? 0))
    const siblings = (topology.callees.get(only) ?? []).filter((callee) => callee !== service)
    const sick = shareSick(siblings.map((callee) => edge(only, callee)))
    return sick === undefined || sick > 0.5 ? 0 : (lostOnEdge.get(edgeKey(only, service)) ?? 0)
  }

  /** Seconds that are lost at a service: by its own clock, or by those of its callers. */
  const lostAt = (service: string): number => {
    const own = latency.get(service)
    const lost = own && inSeconds(own.after - own.before, own.signal.unit)
    return Math.max(lost ?? 0, lostByCallers(service))
  }

  /** How much of what its callers lose on a caller its own calls to a callee can account for, 0 to 1. */
  const timeShare = (caller: string, callee: string): number => {
    const lost = lostByCallers(caller)
    const gained = lostOnEdge.get(edgeKey(caller, callee))
    return lost <= 0 || gained === undefined ? 1 : clamp(gained / (0.4 * lost), 0, 1)
  }

  /** How much of an edge's trouble is the callee's doing, 0 to 1. */
  const attribution = (one: EdgeTrouble): number => {
    if (one.strength === 0 || one.refused > one.strength) return 0
    const agrees = measuredServices.has(one.callee) ? Math.min(1, (1.2 * symptom(one.callee)) / one.strength) : 0
    if (agrees > 0.6) return 1
    const others = (topology.callers.get(one.callee) ?? []).filter((caller) => caller !== one.caller)
    const siblings = (topology.callees.get(one.caller) ?? []).filter((callee) => callee !== one.callee)
    const othersSick = shareSick(others.map((caller) => edge(caller, one.callee)))
    const siblingsSick = shareSick(siblings.map((callee) => edge(one.caller, callee)))
    // Nobody else to ask: an unmeasured callee is taken at its caller's word, a measured and healthy one is not.
    const base = measuredServices.has(one.callee) ? 0.45 : 0.9
    const fromOthers = othersSick === undefined ? 0 : 0.5 * (othersSick - 0.4)
    const fromSiblings = siblingsSick === undefined ? 0 : 0.5 * (0.4 - siblingsSick)
    // Time lost before the callee's clock begins is not seen by the callee: its health says nothing then.
    const lost = network.get(one.callee)?.incoming ?? 0
    const callersOwn = lost <= (network.get(one.caller)?.outgoing ?? 0)
    const onTheWay = one.latency >= one.errors && !callersOwn ? clamp(1.6 * lost, 0, 1) : 0
    return Math.max(agrees, onTheWay, clamp(base + fromOthers + fromSiblings, 0.05, 1))
  }

  const explained = (service: string): Explanation => {
    const mine = ownPair(service)
    // Who does not answer at all is not waiting for anybody.
    const silent = 1 - 0.9 * (down.get(service)?.strength ?? 0)
    let found: Explanation = { share: 0, by: undefined, edge: undefined }
    for (const callee of topology.callees.get(service) ?? []) {
      const one = edge(service, callee)
      const share = accountsFor(mine, seen(service, callee), timeShare(service, callee)) * attribution(one) * silent
      if (share > found.share) found = { share, by: callee, edge: one }
    }
    return found
  }

  const accused = (service: string): Accusation => {
    let found: Accusation = { strength: 0, edge: undefined, callers: 0 }
    let callers = 0
    for (const caller of topology.callers.get(service) ?? []) {
      const one = edge(caller, service)
      if (!one.measured) continue
      const strength = one.strength * attribution(one)
      if (strength > 0.15) callers++
      if (strength > found.strength || (strength === found.strength && saysMore(one, found.edge)))
        found = { strength, edge: one, callers: 0 }
    }
    return { ...found, callers }
  }

  const accounts = (service: string): number => {
    const hurt = (topology.callers.get(service) ?? []).filter((caller) => symptom(caller) > HURT)
    const lost = hurt.map(lostAt)
    const most = Math.max(0, ...lost)
    // A caller that loses milliseconds is no witness where another one loses a hundred times as much.
    const counts = (nth: number): number => (most > 0 ? clamp((lost[nth] ?? 0) / (0.15 * most), 0.1, 1) : 1)
    const shares = hurt.map(
      (caller, nth) => counts(nth) * accountsFor(ownPair(caller), seen(caller, service), timeShare(caller, service)),
    )
    return shares.length === 0 ? 1 : Math.max(...shares)
  }

  return { symptom: memo(symptom), explained: memo(explained), accused: memo(accused), accounts: memo(accounts) }
}

/** A lateness of this strength is one. */
const PLAIN = 0.5

/** A caller with less than this hardly suffers. */
const HURT = 0.25

/** How much of a service's own trouble this trouble at a callee can account for, 0 to 1. */
function accountsFor(mine: Pair, theirs: Pair, timeShare: number): number {
  const worst = worse(mine)
  if (!worst) return Math.min(1, (worse(theirs)?.strength ?? 0) / 0.3)
  const part = (one: Anomaly | undefined): number => Math.min(1, (one?.strength ?? 0) / Math.max(0.2, worst.strength))
  const late = part(theirs.latency) * Math.min(timeShare, accountsForTime(mine.latency, theirs.latency))
  return worst === mine.errors ? Math.max(part(theirs.errors), 0.6 * late) : Math.max(0.6 * part(theirs.errors), late)
}

/** Of two that are equally loud: names decide nothing. */
const saysMore = (one: EdgeTrouble, other: EdgeTrouble | undefined): boolean =>
  other !== undefined && one.errors + one.latency > other.errors + other.latency

const edgeKey = (caller: string, callee: string): string => `${caller}\u0000${callee}`

/** The share of measured edges in trouble; undefined when none is measured. */
function shareSick(edges: readonly EdgeTrouble[]): number | undefined {
  const measured = edges.filter(({ measured }) => measured)
  return measured.length === 0 ? undefined : measured.filter(({ strength }) => strength > 0.25).length / measured.length
}

function memo<T>(ask: (service: string) => T): (service: string) => T {
  const known = new Map<string, T>()
  return (service) => {
    const before = known.get(service)
    if (before !== undefined) return before
    const answer = ask(service)
    known.set(service, answer)
    return answer
  }
}

const strongerOf = (a: Anomaly | undefined, b: Anomaly | undefined): Anomaly | undefined =>
  (b?.strength ?? 0) > (a?.strength ?? 0) ? b : a

/** The strongest anomaly for each key; ties go to the earlier onset. */
function strongest(anomalies: readonly Anomaly[], keyOf: (one: Anomaly) => string | undefined): Map<string, Anomaly> {
  const found = new Map<string, Anomaly>()
  for (const one of anomalies) {
    const key = keyOf(one)
    if (key === undefined) continue
    const known = found.get(key)
    if (!known || one.strength > known.strength || (one.strength === known.strength && one.onsetMs < known.onsetMs)) {
      found.set(key, one)
    }
  }
  return found
}
