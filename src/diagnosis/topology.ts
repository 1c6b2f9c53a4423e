// Who calls whom: from the edges that were given and from what callers measured of their callees. Answers the two questions
// that localisation needs: what lies downstream of a symptom, and by which path.
import type { Edge } from '../core/telemetry.ts'

export interface Topology {
  readonly callees: ReadonlyMap<string, readonly string[]>
  readonly callers: ReadonlyMap<string, readonly string[]>
}

export function buildTopology(edges: readonly Edge[]): Topology {
  const callees = new Map<string, Set<string>>()
  const callers = new Map<string, Set<string>>()
  const add = (map: Map<string, Set<string>>, from: string, to: string): void => {
    const known = map.get(from)
    if (known) known.add(to)
    else map.set(from, new Set([to]))
  }
  for (const { caller, callee } of edges) {
    if (caller === callee || caller === '' || callee === '') continue
    add(callees, caller, callee)
    add(callers, callee, caller)
  }
  const sorted = (map: Map<string, Set<string>>) =>
    new Map([...map].map(([from, to]) => [from, [...to].sort()] as const))
  return { callees: sorted(callees), callers: sorted(callers) }
}

/** Calls away from the nearest of `from`, for everything downstream of them; breadth first. */
export function distances(topology: Topology, from: readonly string[]): Map<string, number> {
  const found = new Map(from.map((service) => [service, 0]))
  const open = [...new Set(from)].sort()
  for (let at = open.shift(); at !== undefined; at = open.shift()) {
    for (const callee of topology.callees.get(at) ?? []) {
      if (found.has(callee)) continue
      found.set(callee, (found.get(at) ?? 0) + 1)
      open.push(callee)
    }
  }
  return found
}

/**
 * The path from one of `from` down to `to` along which most services suffer (`hurt` is 0 to 1), the shortest among equals;
 * empty when there is none. A widest-path search would drop what is merely short; here each healthy hop costs more than a
 * hurt one (Dijkstra, 1959, on at most a few hundred services).
 */
export function failurePath(
  topology: Topology,
  from: readonly string[],
  to: string,
  hurt: (service: string) => number,
): string[] {
  const best = new Map<string, { cost: number; via?: string }>(from.map((service) => [service, { cost: 0 }]))
  const open = new Set(from)
  while (open.size > 0) {
    const at =
      [...open].sort((a, b) => (best.get(a)?.cost ?? 0) - (best.get(b)?.cost ?? 0) || (a < b ? -1 : 1))[0] ?? ''
    open.delete(at)
    if (at === to) break
    for (const callee of topology.callees.get(at) ?? []) {
      const cost = (best.get(at)?.cost ?? 0) + 2 - hurt(callee)
      if (cost >= (best.get(callee)?.cost ?? Number.POSITIVE_INFINITY)) continue
      best.set(callee, { cost, via: at })
      open.add(callee)
    }
  }
  if (!best.has(to)) return []
  const path = [to]
  for (let via = best.get(to)?.via; via !== undefined; via = best.get(via)?.via) path.unshift(via)
  return path
}
