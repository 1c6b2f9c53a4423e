// Whether the trouble of one more service can be that of an incident, by who calls whom.
import type { Edge } from '../../core/telemetry.ts'
import { neighboursOf } from './neighbours.ts'

export interface Relation {
  readonly hops: number
  /** `checkout calls bank through payment`. */
  readonly relation: string
}

export interface Hurt {
  readonly service: string
  readonly firstAtMs: number
}

export function relate(
  { service }: { readonly service: string; readonly atMs: number },
  members: readonly Hurt[],
  topology: readonly Edge[],
  maxHops: number,
): Relation | undefined {
  const hurt = new Set(members.map((member) => member.service))
  return neighboursOf(service, topology, maxHops).find((neighbour) => hurt.has(neighbour.service))
}

/** The services in whose incidents this one may belong. */
export const keysToRelate = (service: string, topology: readonly Edge[], maxHops: number): readonly string[] =>
  neighboursOf(service, topology, maxHops).map((neighbour) => neighbour.service)
