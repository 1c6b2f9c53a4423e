// Time lost between caller and callee, where both ends are measured (a tracing backend's service graph). One slow edge does
// not say which end is at fault; the end all of whose edges are slow does.
import type { Anomaly } from './anomalies.ts'
import { matters, type Loss } from './loss.ts'
import type { Signal } from './service-signals.ts'

export interface NetworkTrouble {
  /** How much of the calls to it, or of its own calls, lose time: the larger of the two, 0 to 1. */
  readonly share: number
  /** Of the calls to it, and of its own. */
  readonly incoming: number
  readonly outgoing: number
  readonly worst: Anomaly
}

/**
 * For each service how much of its edges lose time, counting half an edge of doubt, with the worst of them. The two
 * directions are told apart: what delays what comes in need not delay what goes out.
 */
export function findNetworkTrouble(
  signals: readonly Signal[],
  anomalies: readonly Anomaly[],
  loss: Loss,
): ReadonlyMap<string, NetworkTrouble> {
  const edges = new Map<string, Set<string>>()
  const slow = new Map<string, { sum: number; worst: Anomaly }>()
  for (const { role, service, peer } of signals) {
    if (role !== 'edge_gap' || peer === undefined) continue
    for (const [end, other] of [
      [outOf(service), peer],
      [into(peer), service],
    ] as const) {
      const known = edges.get(end)
      if (known) known.add(other)
      else edges.set(end, new Set([other]))
    }
  }
  for (const one of anomalies) {
    const { role, service, peer } = one.signal
    if (role !== 'edge_gap' || peer === undefined) continue
    for (const end of [outOf(service), into(peer)]) {
      const known = slow.get(end)
      const worst = known && known.worst.strength >= one.strength ? known.worst : one
      slow.set(end, { sum: (known?.sum ?? 0) + one.strength * matters(loss, one), worst })
    }
  }
  const found = new Map<string, NetworkTrouble>()
  for (const service of new Set([...slow.keys()].map((end) => end.slice(1)))) {
    const [incoming, outgoing] = [into(service), outOf(service)].map((end) => {
      const its = slow.get(end)
      return its && { share: its.sum / ((edges.get(end)?.size ?? 1) + 0.5), worst: its.worst }
    })
    const more = (incoming?.share ?? 0) >= (outgoing?.share ?? 0) ? incoming : outgoing
    if (more) found.set(service, { ...more, incoming: incoming?.share ?? 0, outgoing: outgoing?.share ?? 0 })
  }
  return found
}

const into = (service: string): string => `<${service}`
const outOf = (service: string): string => `>${service}`
