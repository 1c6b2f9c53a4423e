// Time lost between caller and callee, where both ends are measured (a tracing backend's service graph). One slow edge does
// not say which end is at fault; the end all of whose edges are slow does.
import type { Anomaly } from './anomalies.ts'
import { matters, type Loss } from './loss.ts'
import type { Signal } from './service-signals.ts'

export interface NetworkTrouble {
  /** 0 to 1. */
  readonly share: number
  readonly worst: Anomaly
}

/** For each service how much of its edges lose time, counting half an edge of doubt, with the worst of them. */
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
      [service, `>${peer}`],
      [peer, `<${service}`],
    ] as const) {
      const known = edges.get(end)
      if (known) known.add(other)
      else edges.set(end, new Set([other]))
    }
  }
  for (const one of anomalies) {
    const { role, service, peer } = one.signal
    if (role !== 'edge_gap' || peer === undefined) continue
    for (const end of [service, peer]) {
      const known = slow.get(end)
      const worst = known && known.worst.strength >= one.strength ? known.worst : one
      slow.set(end, { sum: (known?.sum ?? 0) + one.strength * matters(loss, one), worst })
    }
  }
  return new Map(
    [...slow].map(
      ([end, { sum, worst }]) => [end, { share: sum / ((edges.get(end)?.size ?? 1) + 0.5), worst }] as const,
    ),
  )
}
