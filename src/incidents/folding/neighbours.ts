// Which services one trouble can show itself in: those that a service calls, directly or through others, those that
// call it, and those that call the same thing directly (it may be what is broken). Two services that merely have a
// caller in common are no neighbours.
import type { Edge } from '../../core/telemetry.ts'

export interface Neighbour {
  readonly service: string
  readonly hops: number
  /** `checkout calls bank through payment`. */
  readonly relation: string
}

/** What more services than this call (a database, a sign-in) says nothing about two of them. */
const MAX_SHARING = 5

/** More would make the question too long; the nearest are kept. */
const MAX_NEIGHBOURS = 400

/** Nearest first, then by name. The service itself is not among them. */
export function neighboursOf(service: string, topology: readonly Edge[], maxHops: number): readonly Neighbour[] {
  const index = indexOf(topology)
  const found = new Map<string, Neighbour>()
  for (const neighbour of [
    ...walk(service, index.callees, maxHops, spellPath),
    ...walk(service, index.callers, maxHops, (path) => spellPath(path.toReversed())),
    ...(maxHops >= 2 ? sharing(service, index) : []),
  ]) {
    const known = found.get(neighbour.service)
    if (!known || neighbour.hops < known.hops) found.set(neighbour.service, neighbour)
  }
  return [...found.values()]
    .sort((a, b) => a.hops - b.hops || (a.service < b.service ? -1 : 1))
    .slice(0, MAX_NEIGHBOURS)
}

function walk(
  from: string,
  calls: Calls,
  maxHops: number,
  spell: (path: readonly string[]) => string,
): readonly Neighbour[] {
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
        found.push({ service, hops, relation: spell([...path, service]) })
      }
    }
    edge = next
  }
  return found
}

function sharing(service: string, { callees, callers }: CallIndex): readonly Neighbour[] {
  return (callees.get(service) ?? []).flatMap((shared) => {
    const all = callers.get(shared) ?? []
    if (all.length > MAX_SHARING) return []
    return all
      .filter((other) => other !== service)
      .map((other) => ({ service: other, hops: 2, relation: `${service} and ${other} both call ${shared}` }))
  })
}

/** From caller to callee, both ends included: `[checkout, payment, bank]`. */
export function spellPath(path: readonly string[]): string {
  const through = path.slice(1, -1)
  return `${path[0]} calls ${path.at(-1)}${through.length > 0 ? ` through ${through.join(' and ')}` : ''}`
}

export interface CallIndex {
  readonly callees: Calls
  readonly callers: Calls
  /** Every service that this one calls, itself included, with the shortest path there. */
  reach(service: string, maxHops: number): Reach
}
type Reach = ReadonlyMap<string, readonly string[]>
type Calls = ReadonlyMap<string, readonly string[]>

/** The topology changes seldom and is asked for with every alert. */
const indexes = new WeakMap<readonly Edge[], CallIndex>()

export function indexOf(topology: readonly Edge[]): CallIndex {
  const known = indexes.get(topology)
  if (known) return known
  const reached = new Map<string, Reach>()
  const index: CallIndex = {
    callees: collect(topology.map(({ caller, callee }) => [caller, callee])),
    callers: collect(topology.map(({ caller, callee }) => [callee, caller])),
    reach: (service: string, maxHops: number): Reach => {
      const key = `${maxHops} ${service}`
      const found = reached.get(key) ?? reachOf(service, index.callees, maxHops)
      reached.set(key, found)
      return found
    },
  }
  indexes.set(topology, index)
  return index
}

function reachOf(service: string, calls: Calls, maxHops: number): Reach {
  const found = new Map<string, readonly string[]>([[service, [service]]])
  for (const [at, path] of found) {
    if (path.length > maxHops) continue
    for (const next of calls.get(at) ?? []) if (!found.has(next)) found.set(next, [...path, next])
  }
  return found
}

function collect(pairs: readonly (readonly [string, string])[]): Calls {
  const calls = new Map<string, string[]>()
  for (const [from, to] of [...pairs].sort(([, a], [, b]) => (a < b ? -1 : 1))) {
    const list = calls.get(from)
    if (!list) calls.set(from, [to])
    else if (list.at(-1) !== to) list.push(to)
  }
  return calls
}
