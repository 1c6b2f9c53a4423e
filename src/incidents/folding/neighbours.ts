// Which services one trouble can show itself in: those that a service calls, directly or through others, those that
// call it, and those that call the same thing directly (it may be what is broken). Two services that merely have a
// caller in common are no neighbours.
import type { Edge } from '../../core/telemetry.ts'

export interface Neighbour {
  readonly service: string
  readonly hops: number
}

/** What more services than this call (a database, a sign-in) says nothing about two of them. */
export const MAX_SHARING = 5

/** More would make the question too long; the nearest are kept. */
const MAX_NEIGHBOURS = 400

/** Nearest first, then by name. The service itself is not among them. */
export function neighboursOf(service: string, topology: readonly Edge[], maxHops: number): readonly Neighbour[] {
  const index = indexOf(topology)
  const found = new Map<string, Neighbour>()
  const note = (other: string, hops: number): void => {
    if (other !== service && hops < (found.get(other)?.hops ?? Infinity)) found.set(other, { service: other, hops })
  }
  for (const reach of [index.reach(service, maxHops), reachOf(service, index.callers, maxHops)])
    for (const [other, path] of reach) note(other, path.length - 1)
  if (maxHops >= 2) for (const other of sharing(service, index)) note(other, 2)
  return [...found.values()]
    .sort((a, b) => a.hops - b.hops || (a.service < b.service ? -1 : 1))
    .slice(0, MAX_NEIGHBOURS)
}

/** Those that call the same thing directly. */
const sharing = (service: string, { callees, callers }: CallIndex): readonly string[] =>
  (callees.get(service) ?? []).flatMap((shared) => {
    const all = callers.get(shared) ?? []
    return all.length > MAX_SHARING ? [] : all
  })

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
