// Which services can hurt one another: those that a service calls, directly or through others, and those that call it.
// Only along the calls in one direction: two services that merely have a caller in common are no neighbours.
import type { Edge } from '../core/telemetry.ts'

export interface Neighbour {
  readonly service: string
  readonly hops: number
  /** From caller to callee, both ends included: `[checkout, payment, bank]`. */
  readonly path: readonly string[]
}

/** More would make the question too long; the nearest are kept. */
const MAX_NEIGHBOURS = 400

/** Nearest first, then by name. The service itself is not among them. */
export function neighboursOf(service: string, topology: readonly Edge[], maxHops: number): readonly Neighbour[] {
  const index = indexOf(topology)
  const found = new Map<string, Neighbour>()
  for (const [calls, downstream] of [
    [index.callees, true],
    [index.callers, false],
  ] as const) {
    for (const neighbour of walk(service, calls, downstream, maxHops)) {
      const known = found.get(neighbour.service)
      if (!known || neighbour.hops < known.hops) found.set(neighbour.service, neighbour)
    }
  }
  return [...found.values()]
    .sort((a, b) => a.hops - b.hops || (a.service < b.service ? -1 : 1))
    .slice(0, MAX_NEIGHBOURS)
}

function walk(from: string, calls: Calls, downstream: boolean, maxHops: number): readonly Neighbour[] {
  const seen = new Set([from])
  const found: Neighbour[] = []
  let edge: readonly (readonly string[])[] = [[from]]
  for (let hops = 1; hops <= maxHops && edge.length > 0; hops++) {
    const next: string[][] = []
    for (const path of edge) {
      for (const service of calls.get(path.at(-1) ?? '') ?? []) {
        if (seen.has(service)) continue
        seen.add(service)
        next.push([...path, service])
        found.push({ service, hops, path: downstream ? [...path, service] : [...path, service].reverse() })
      }
    }
    edge = next
  }
  return found
}

type Calls = ReadonlyMap<string, readonly string[]>

/** The topology changes seldom and is asked for with every alert. */
const indexes = new WeakMap<readonly Edge[], { callees: Calls; callers: Calls }>()

function indexOf(topology: readonly Edge[]): { callees: Calls; callers: Calls } {
  const known = indexes.get(topology)
  if (known) return known
  const index = {
    callees: collect(topology.map(({ caller, callee }) => [caller, callee])),
    callers: collect(topology.map(({ caller, callee }) => [callee, caller])),
  }
  indexes.set(topology, index)
  return index
}

function collect(pairs: readonly (readonly [string, string])[]): Calls {
  const calls = new Map<string, string[]>()
  for (const [from, to] of [...pairs].sort(([, a], [, b]) => (a < b ? -1 : 1))) {
    const list = calls.get(from)
    if (list) list.push(to)
    else calls.set(from, [to])
  }
  return calls
}
