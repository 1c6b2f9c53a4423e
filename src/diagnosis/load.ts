// Where more work comes from. A rise of requests that started at the front door (or arrives at one service from outside)
// explains what saturates below it; a rise that a caller makes by itself, such as retries, explains nothing.
import type { Anomaly } from './anomalies.ts'
import type { Signal } from './service-signals.ts'
import type { Topology } from './topology.ts'

export interface Load {
  /** The rise of requests at a service that its callers do not pass down: where a surge enters; with where it came from. */
  readonly rise: Anomaly
  readonly origin: 'outside' | 'passed on' | 'made by a caller'
}

/** The rises of load by service. A rise is passed on when a caller of the service has one that came from outside. */
export function findLoads(
  topology: Topology,
  signals: readonly Signal[],
  anomalies: readonly Anomaly[],
): ReadonlyMap<string, Load> {
  const measured = new Set(signals.filter(({ role }) => role === 'requests').map(({ service }) => service))
  const measuredEdges = new Set(signals.flatMap(({ role, peer }) => (role === 'client_requests' && peer ? [peer] : [])))
  const rises = new Map<string, Anomaly>()
  const sent = new Map<string, number>()
  for (const one of anomalies) {
    const { role, service, peer } = one.signal
    if (one.direction === -1) continue
    if (role === 'requests' && one.strength > (rises.get(service)?.strength ?? 0)) rises.set(service, one)
    if (role === 'client_requests' && peer !== undefined) sent.set(peer, Math.max(sent.get(peer) ?? 0, one.strength))
  }
  const loads = new Map<string, Load>()
  const originOf = (service: string, seen: ReadonlySet<string>): Load['origin'] => {
    const rise = rises.get(service)
    if (!rise) return 'made by a caller'
    const above = (topology.callers.get(service) ?? []).filter(
      (caller) => !seen.has(caller) && (rises.get(caller)?.strength ?? 0) >= 0.4 * rise.strength,
    )
    if (above.length > 0) {
      const next = new Set([...seen, service])
      return above.some((caller) => originOf(caller, next) !== 'made by a caller') ? 'passed on' : 'made by a caller'
    }
    // Where callers say how much they send, they are believed; where they do not, none of them having more to do says it.
    if (sent.has(service) || measuredEdges.has(service)) {
      return (sent.get(service) ?? 0) >= 0.5 * rise.strength ? 'made by a caller' : 'outside'
    }
    return (topology.callers.get(service) ?? []).some((caller) => measured.has(caller)) ? 'made by a caller' : 'outside'
  }
  for (const [service, rise] of rises) loads.set(service, { rise, origin: originOf(service, new Set([service])) })
  return loads
}
