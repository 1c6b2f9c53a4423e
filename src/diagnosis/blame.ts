// Who suffers, and how much of it is somebody else's doing. The loud victim is told from the quiet cause by asking each edge
// of the call graph: does the callee see its own trouble, do its other callers, or does only this caller see all of its
// callees late? (Blame passes along anomalous edges, as in MonitorRank: Kim, Sumbaly and Shah, SIGMETRICS 2013, and
// MicroRCA: Wu et al., NOMS 2020; here as a closed form instead of a random walk, so that each step can be explained.)
import type { Anomaly } from './anomalies.ts'
import type { Signal, SignalRole } from './service-signals.ts'
import type { Topology } from './topology.ts'

export interface EdgeTrouble {
  readonly caller: string
  readonly callee: string
  /** 0 to 1: how bad the caller finds the callee. */
  readonly strength: number
  /** Errors and lateness apart. */
  readonly errors: number
  readonly latency: number
  /** The callee says who-are-you: the caller's credentials are at fault. */
  readonly refused: number
  readonly worst: Anomaly | undefined
  /** Whether the caller measures this edge at all. */
  readonly measured: boolean
}

export interface Blame {
  /** Errors and latency as the service itself counts them, 0 to 1. */
  symptom(service: string): number
  /** The share of a service's symptoms that its callees explain, and which one most. */
  explained(service: string): { readonly share: number; readonly by: string | undefined; readonly edge: EdgeTrouble | undefined }
  /** What the callers hold against a service, and the caller that says it loudest. */
  accused(service: string): { readonly strength: number; readonly edge: EdgeTrouble | undefined; readonly callers: number }
  edge(caller: string, callee: string): EdgeTrouble
}

const SYMPTOMS: ReadonlySet<SignalRole> = new Set(['errors', 'error_rate', 'availability', 'latency', 'job_errors'])
const EDGE_ERRORS: ReadonlySet<SignalRole> = new Set(['client_errors'])
const EDGE_LATENCY: ReadonlySet<SignalRole> = new Set(['client_latency', 'edge_gap'])

export function assignBlame(topology: Topology, signals: readonly Signal[], anomalies: readonly Anomaly[]): Blame {
  const symptoms = strongest(anomalies, (one) => (SYMPTOMS.has(one.signal.role) ? one.signal.service : undefined))
  const down = strongest(anomalies, (one) => (one.signal.role === 'up' ? one.signal.service : undefined))
  const key = (caller: string, callee: string): string => `${caller}\u0000${callee}`
  const onEdge = (roles: ReadonlySet<SignalRole>) =>
    strongest(anomalies, ({ signal }) =>
      signal.peer !== undefined && roles.has(signal.role) ? key(signal.service, signal.peer) : undefined,
    )
  const edgeErrors = onEdge(EDGE_ERRORS)
  const edgeLatency = onEdge(EDGE_LATENCY)
  const edgeRefused = onEdge(new Set(['client_refused']))
  const measuredEdges = new Set(
    signals.flatMap(({ role, service, peer }) =>
      peer !== undefined && (EDGE_ERRORS.has(role) || EDGE_LATENCY.has(role)) ? [key(service, peer)] : [],
    ),
  )
  const measuredServices = new Set(signals.filter(({ role }) => SYMPTOMS.has(role)).map(({ service }) => service))
  const symptom = (service: string): number =>
    Math.max(symptoms.get(service)?.strength ?? 0, down.get(service)?.strength ?? 0)

  const edge = (caller: string, callee: string): EdgeTrouble => {
    const at = key(caller, callee)
    const [errors, latency, refused] = [edgeErrors.get(at), edgeLatency.get(at), edgeRefused.get(at)]
    const measured = measuredEdges.has(at)
    const worst = (errors?.strength ?? 0) >= (latency?.strength ?? 0) ? errors : latency
    const strength = measured ? (worst?.strength ?? 0) : 0.8 * symptom(callee)
    return {
      caller,
      callee,
      strength,
      errors: errors?.strength ?? 0,
      latency: latency?.strength ?? 0,
      refused: refused?.strength ?? 0,
      worst,
      measured,
    }
  }

  /** How much of an edge's trouble is the callee's doing, 0 to 1. */
  const attribution = (one: EdgeTrouble): number => {
    if (one.strength === 0) return 0
    if (one.refused > one.strength) return 0
    const agrees = measuredServices.has(one.callee) ? Math.min(1, (1.2 * symptom(one.callee)) / one.strength) : 0
    if (agrees > 0.6) return 1
    const isSick = (other: EdgeTrouble): boolean => other.strength > 0.25
    const others = (topology.callers.get(one.callee) ?? [])
      .filter((caller) => caller !== one.caller)
      .map((caller) => edge(caller, one.callee))
      .filter((other) => other.measured)
    const siblings = (topology.callees.get(one.caller) ?? [])
      .filter((callee) => callee !== one.callee)
      .map((callee) => edge(one.caller, callee))
      .filter((other) => other.measured)
    const othersSick = others.length === 0 ? undefined : others.filter(isSick).length / others.length
    const siblingsSick = siblings.length === 0 ? undefined : siblings.filter(isSick).length / siblings.length
    // Nobody else to ask: an unmeasured callee is taken at its caller's word, a measured and healthy one is not.
    const base = measuredServices.has(one.callee) ? 0.45 : 0.9
    const fromOthers = othersSick === undefined ? 0 : 0.5 * (othersSick - 0.4)
    const fromSiblings = siblingsSick === undefined ? 0 : 0.5 * (0.4 - siblingsSick)
    return Math.min(1, Math.max(0.05, agrees, base + fromOthers + fromSiblings))
  }

  const explained = (service: string) => {
    const own = Math.max(0.2, symptoms.get(service)?.strength ?? 0)
    let share = 0
    let by: EdgeTrouble | undefined
    for (const callee of topology.callees.get(service) ?? []) {
      const one = edge(service, callee)
      const part = Math.min(1, one.strength / own) * attribution(one)
      if (part > share) [share, by] = [part, one]
    }
    return { share, by: by?.callee, edge: by }
  }

  const accused = (service: string) => {
    let strength = 0
    let worst: EdgeTrouble | undefined
    let callers = 0
    for (const caller of topology.callers.get(service) ?? []) {
      const one = edge(caller, service)
      if (!one.measured) continue
      const part = one.strength * attribution(one)
      if (part > 0.15) callers++
      if (part > strength) [strength, worst] = [part, one]
    }
    return { strength, edge: worst, callers }
  }

  return { symptom, explained, accused, edge }
}

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
