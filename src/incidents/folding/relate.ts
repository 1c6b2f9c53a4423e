// Whether the trouble of one more service can be that of an incident, by who calls whom. Asking whether it is near any of the
// incident's services chains two faults into one wherever a graph is dense; so it is asked whether one cause explains them
// all: a hurt service from which the trouble climbs to its callers, callers' callers and so on, over no more than one
// service that says nothing. Two faults under a common caller have no such cause, however near they are.
import type { Edge } from '../../core/telemetry.ts'
import { type CallIndex, indexOf, MAX_SHARING, neighboursOf, spellPath } from './neighbours.ts'

export interface Relation {
  readonly hops: number
  /** `checkout calls bank through payment`. */
  readonly relation: string
}

export interface Hurt {
  readonly service: string
  readonly firstAtMs: number
}

/** Calls from one hurt service to the next: between them one may be silent, for it has no rule or a slower one. */
const MAX_GAP = 2
/** One in so many services of an incident may be there for another reason: by hand, by place, by a call we do not know. */
const ONE_STRAY_IN = 5

/** How a service is related to the services of an incident, or undefined when nothing explains both. */
export function relate(
  { service, atMs }: { readonly service: string; readonly atMs: number },
  members: readonly Hurt[],
  topology: readonly Edge[],
): Relation | undefined {
  if (members.length === 0) return undefined
  const index = indexOf(topology)
  const strays = Math.floor(members.length / ONE_STRAY_IN)
  const hurt = new Set([service, ...members.map((member) => member.service)])
  const explainedBy = (root: string): readonly Hurt[] | undefined => {
    const suffering = sufferersOf(root, hurt, index)
    const explained = members.filter((member) => suffering.has(member.service))
    const enough = explained.length > 0 && members.length - explained.length <= strays
    return enough && suffering.has(service) ? explained : undefined
  }
  for (const root of hurt) {
    const path = shortestPath(service, explainedBy(root) ?? [], index)
    if (path) return { hops: path.length - 1, relation: spellPath(path) }
  }
  return throughSilent(service, explainedBy, index) ?? downwards(service, atMs, members, strays, index)
}

/** Whether one of these services explains all of them. */
export function haveOneCause(services: readonly string[], topology: readonly Edge[]): boolean {
  const index = indexOf(topology)
  const hurt = new Set(services)
  return services.some((root) => sufferersOf(root, hurt, index).size === hurt.size)
}

/** The hurt services that the trouble of `root` can have reached, itself included. */
function sufferersOf(root: string, hurt: ReadonlySet<string>, { callers }: CallIndex): ReadonlySet<string> {
  const suffering = new Set([root])
  for (const from of suffering) {
    const seen = new Set([from])
    let edge: readonly string[] = [from]
    for (let hops = 1; hops <= MAX_GAP; hops++) {
      const silent: string[] = []
      for (const at of edge)
        for (const caller of callers.get(at) ?? []) {
          if (seen.has(caller)) continue
          seen.add(caller)
          if (hurt.has(caller)) suffering.add(caller)
          else silent.push(caller)
        }
      edge = silent
    }
  }
  return suffering
}

/** The shortest chain of calls between the service and one of the others, whoever calls; of two, towards the cause. */
function shortestPath(service: string, others: readonly Hurt[], index: CallIndex): readonly string[] | undefined {
  let best: readonly string[] | undefined
  const mine = index.reach(service, MAX_GAP)
  for (const other of others) {
    const path = mine.get(other.service) ?? index.reach(other.service, MAX_GAP).get(service)
    if (!path) continue
    const nearer = best === undefined ? -1 : path.length - best.length
    if (nearer < 0 || (nearer === 0 && best?.[0] !== service && path[0] === service)) best = path
  }
  return best
}

/** A service that says nothing itself can be what is broken, where few call it and those that do are hurt. */
function throughSilent(
  service: string,
  explainedBy: (root: string) => readonly Hurt[] | undefined,
  { callees, callers }: CallIndex,
): Relation | undefined {
  for (const shared of callees.get(service) ?? []) {
    const all = callers.get(shared) ?? []
    if (all.length > MAX_SHARING) continue
    const other = explainedBy(shared)?.find((member) => all.includes(member.service))
    if (other) return { hops: 2, relation: `${service} and ${other.service} both call ${shared}` }
  }
  return undefined
}

/** Too many calls hurt those who are called; then the caller was hurt first, and everything else is called by it. */
function downwards(
  service: string,
  atMs: number,
  members: readonly Hurt[],
  strays: number,
  { callees }: CallIndex,
): Relation | undefined {
  const first = members.reduce((a, b) => (b.firstAtMs < a.firstAtMs ? b : a))
  const called = new Set(callees.get(first.service))
  if (first.firstAtMs > atMs || !called.has(service)) return undefined
  const others = members.filter((member) => member !== first && !called.has(member.service)).length
  return others > strays ? undefined : { hops: 1, relation: spellPath([first.service, service]) }
}

/** The services in whose incidents this one may belong. */
export const keysToRelate = (service: string, topology: readonly Edge[]): readonly string[] =>
  neighboursOf(service, topology, MAX_GAP).map((neighbour) => neighbour.service)
