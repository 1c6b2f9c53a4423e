// Changes of the number of replicas. A Deployment's controller tells of them in events, but of every step of a rollout too:
// those in whose neighbourhood another of its ReplicaSets moved, or was made, are the rollout's. A StatefulSet's are told by who
// last set its number, and when.
import type { Change } from '../../core/telemetry.ts'
import { timesOf } from './events.ts'
import type { KubeEvent } from './objects.ts'
import { lastSet } from './rollouts.ts'
import type { Running } from './workloads.ts'

/** A rollout is given this long before its steps are taken for something else. */
const ROLLOUT_MS = 10 * 60_000
/** "Scaled up replica set web-1 to 5", "… to 5 from 2", "… from 2 to 5", as versions of Kubernetes say it. */
const SCALED = /^Scaled (?:up|down) replica set (\S+) (?:from (\d+) )?to (\d+)(?: from (\d+))?/

export function scalingsOf({ workloads, revisions }: Running, events: readonly KubeEvent[]): Change[] {
  const steps = events.flatMap((event) => {
    const [, set, before, to, after] = event.reason === 'ScalingReplicaSet' ? (SCALED.exec(event.message) ?? []) : []
    if (set === undefined || to === undefined) return []
    const { last, count } = timesOf(event)
    return last === undefined ? [] : [{ event, at: last, set, from: before ?? after, to, count }]
  })
  // A large cluster tells of thousands: none of them is compared with all.
  const stepsOf = Map.groupBy(steps, ({ event }) => event.involvedObject.uid)
  const revisionsOf = Map.groupBy(revisions, ({ owner }) => owner)
  const deployments = new Map(
    workloads.flatMap((one) =>
      one.kind === 'Deployment' ? [[`${one.metadata.namespace}/${one.metadata.name}`, one] as const] : [],
    ),
  )
  const changes: Change[] = []
  for (const { event, at, set, from, to, count } of steps) {
    const { name, uid } = event.involvedObject
    const owner = deployments.get(`${event.metadata.namespace}/${name}`)
    if (!owner) continue
    const near = (time: number | undefined): boolean => time !== undefined && Math.abs(time - at) < ROLLOUT_MS
    const rolling =
      stepsOf.get(uid)?.some((other) => other.set !== set && near(other.at)) ||
      revisionsOf.get(owner)?.some((one) => near(one.metadata.creationTimestamp))
    if (rolling) continue
    changes.push({
      id: `kubernetes:scale:${event.metadata.uid}:${count}`,
      at,
      service: owner.service,
      kind: 'scale',
      summary: `Deployment ${event.metadata.namespace}/${name}: ${from === undefined ? '' : `${from} `}to ${to} replicas`,
      ...(from === undefined ? {} : { from }),
      to,
    })
  }
  for (const { kind, metadata, service, desired } of workloads) {
    if (kind !== 'StatefulSet') continue
    const set = lastSet(metadata, 'f:replicas')
    // Set together with all the rest is how it was made, or applied.
    if (!set || set.at === metadata.creationTimestamp || set.at === lastSet(metadata, 'f:template')?.at) continue
    changes.push({
      id: `kubernetes:scale:${metadata.uid}:${set.at}`,
      at: set.at,
      service,
      kind: 'scale',
      summary: `StatefulSet ${metadata.namespace}/${metadata.name}: set to ${desired} replicas`,
      to: String(desired),
      ...(set.manager === undefined ? {} : { author: set.manager }),
    })
  }
  return changes
}
