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
  const risingCallers = (service: string, rise: Anomaly): readonly string[] =>
    (topology.callers.get(service) ?? []).filter((caller) => (rises.get(caller)?.strength ?? 0) >= 0.4 * rise.strength)
  const isOutside = (service: string, rise: Anomaly): boolean => {
    if (risingCallers(service, rise).length > 0) return false
    // Where callers say how much they send, they are believed; where they do not, none of them having more to do says it.
    if (measuredEdges.has(service)) return (sent.get(service) ?? 0) < 0.5 * rise.strength
    return !(topology.callers.get(service) ?? []).some((caller) => measured.has(caller))
  }
  const outside = [...rises].filter(([service, rise]) => isOutside(service, rise)).map(([service]) => service)
  const reached = new Set(outside)
  // Down from where it enters, along services that have more to do than they had.
  const open = [...outside]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const callee of topology.callees.get(at) ?? []) {
      const rise = rises.get(callee)
      if (!rise || reached.has(callee) || !risingCallers(callee, rise).includes(at)) continue
      reached.add(callee)
      open.push(callee)
    }
  }
  const from = new Set(outside)
  return new Map(
    [...rises].map(([service, rise]) => {
      const origin = from.has(service) ? 'outside' : reached.has(service) ? 'passed on' : 'made by a caller'
      return [service, { rise, origin }] as const
    }),
  )
}
