// Time lost between caller and callee, where both ends are measured (a tracing backend's service graph). One slow edge does
// not say which end is at fault; the end all of whose edges are slow does.
import type { Anomaly, Window } from './anomalies.ts'
import { matters, type Loss } from './loss.ts'
import type { Signal } from './service-signals.ts'
import { clamp, firstAt } from './stats.ts'

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
  window: Window,
): ReadonlyMap<string, NetworkTrouble> {
  const edges = new Map<string, Set<string>>()
  const slow = new Map<string, { sum: number; worst: Anomaly }>()
  const strayed = new Set(anomalies.map(({ signal }) => signal))
  const sinceMs = window.alertAtMs - RECENT_STEPS * window.stepMs
  for (const signal of signals) {
    const { role, service, peer, track } = signal
    if (role !== 'edge_gap' || peer === undefined) continue
    // An edge that nobody used lately speaks neither for nor against.
    const silent = track.times.length > 0 && track.times.length - firstAt(track, sinceMs) < 2
    if (silent && !strayed.has(signal)) continue
    for (const [end, other] of [
      [outOf(service), peer],
      [into(peer), service],
    ] as const) {
      const known = edges.get(end)
      if (known) known.add(other)
      else edges.set(end, new Set([other]))
    }
  }
  const gaps = anomalies.filter(({ signal }) => signal.role === 'edge_gap')
  const longest = gaps.reduce((most, one) => (one.strength < 0.5 ? most : Math.max(most, one.after - one.before)), 0)
  for (const one of gaps) {
    const { service, peer } = one.signal
    if (peer === undefined) continue
    // Beside seconds that are lost elsewhere, milliseconds are beside the point.
    const share = longest > 0 ? clamp((one.after - one.before) / (0.25 * longest), 0.1, 1) : 1
    for (const end of [outOf(service), into(peer)]) {
      const known = slow.get(end)
      const worst = known && known.worst.strength >= one.strength ? known.worst : one
      slow.set(end, { sum: (known?.sum ?? 0) + one.strength * share * matters(loss, one), worst })
    }
  }
  const found = new Map<string, NetworkTrouble>()
  for (const service of new Set([...slow.keys()].map((end) => end.slice(1)))) {
    const [incoming, outgoing] = [into(service), outOf(service)].map((end) => {
      const its = slow.get(end)
      return its && { share: its.sum / ((edges.get(end)?.size ?? 1) + 0.5), worst: its.worst }
    })
    // A service that is far away is late for all who call it. Who is late only for what it calls itself, and not for its own
    // callers, is rather the victim of what it calls.
    const heard = edges.has(into(service))
    const out = outgoing && {
      ...outgoing,
      share: outgoing.share * (heard ? 0.5 + 0.5 * Math.min(1, incoming?.share ?? 0) : 1),
    }
    const more = (incoming?.share ?? 0) >= (out?.share ?? 0) ? incoming : out
    if (more) found.set(service, { ...more, incoming: incoming?.share ?? 0, outgoing: outgoing?.share ?? 0 })
  }
  return found
}

/** How long before the alert a call still tells of the incident. */
const RECENT_STEPS = 3

const into = (service: string): string => `<${service}`
const outOf = (service: string): string => `>${service}`
