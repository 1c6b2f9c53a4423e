// What runs in the cluster and whose it is: workloads with their revisions and pods, and the service that each belongs to. A
// service is what the config says of a workload, else the first of the configured labels that it carries, else its name.
import type { Clock } from '../../core/clock.ts'
import { orAborted } from '../../core/deadline.ts'
import type { Cluster } from './cluster.ts'
import {
  controllerRevision,
  CONTROLLER_REVISIONS,
  type Metadata,
  type Pod,
  pod,
  PODS,
  type PodTemplate,
  replicaSet,
  REPLICA_SETS,
  workload,
  WORKLOADS,
} from './objects.ts'

export interface ServiceNaming {
  /** First present wins. */
  readonly serviceLabels: readonly string[]
  /** `namespace/name` or `name` of a workload → service. */
  readonly services: Readonly<Record<string, string>>
}

export interface Workload {
  readonly kind: (typeof WORKLOADS)[number]['kind']
  readonly service: string
  readonly metadata: Metadata
  readonly template: PodTemplate | undefined
  readonly desired: number
  readonly ready: number
}

/** A template that a workload has, or had. */
export interface Revision {
  readonly owner: Workload
  readonly metadata: Metadata
  /** Of a ControllerRevision; a ReplicaSet tells it in an annotation. */
  readonly number: number | undefined
  readonly template: PodTemplate
}

export interface Running {
  readonly workloads: readonly Workload[]
  readonly revisions: readonly Revision[]
  readonly pods: readonly (Pod & { readonly service: string })[]
  /** Whose an object is that an event speaks of; its own name where nothing is known of it. */
  serviceOf(namespace: string, kind: string, name: string): string
  /** What was not read, in words. */
  readonly problems: readonly string[]
}

export interface Workloads {
  /** Read anew when what is known is older than a few seconds; questions at the same time share a reading. */
  running(signal: AbortSignal): Promise<Running>
}

const KEEP_MS = 10_000

export function createWorkloads(cluster: Cluster, naming: ServiceNaming, clock: Clock): Workloads {
  let known: { readonly atMs: number; readonly running: Promise<Running> } | undefined
  // Every request of it has its own deadline, so it ends though nobody waits any more.
  const never = new AbortController().signal
  return {
    running(signal) {
      const now = clock.now()
      if (!known || now - known.atMs > KEEP_MS) {
        const running = read(cluster, naming, never)
        const fresh = { atMs: now, running }
        known = fresh
        running.catch(() => {
          if (known === fresh) known = undefined
        })
      }
      return orAborted(known.running, signal)
    },
  }
}

async function read(cluster: Cluster, naming: ServiceNaming, signal: AbortSignal): Promise<Running> {
  const problems: string[] = []
  const told = <T>(plural: string, { items, cut }: { items: readonly T[]; cut: boolean }): readonly T[] => {
    if (cut) problems.push(`there are more ${plural} than are read: name fewer namespaces`)
    return items
  }
  const [sets, revisions, pods, ...kinds] = await Promise.all([
    cluster.list(REPLICA_SETS, replicaSet, signal).then((found) => told('replica sets', found)),
    cluster.list(CONTROLLER_REVISIONS, controllerRevision, signal).then((found) => told('revisions', found)),
    cluster.list(PODS, pod, signal).then((found) => told('pods', found)),
    ...WORKLOADS.map((kind) => cluster.list(kind, workload, signal).then((found) => told(kind.plural, found))),
  ])
  const workloads = WORKLOADS.flatMap(({ kind }, i) =>
    (kinds[i] ?? []).map(({ metadata, spec, status }): Workload => ({
      kind,
      service: serviceFor(naming, metadata.namespace, metadata.name, metadata.labels, spec.template?.metadata?.labels),
      metadata,
      template: spec.template ?? undefined,
      desired: status?.desiredNumberScheduled ?? spec.replicas ?? 1,
      ready: status?.readyReplicas ?? status?.numberReady ?? 0,
    })),
  )
  const byUid = new Map(workloads.map((one) => [one.metadata.uid, one]))
  const ownerOf = ({ ownerReferences }: Metadata): Workload | undefined =>
    ownerReferences.map(({ uid }) => byUid.get(uid)).find((one) => one !== undefined)
  const found: Revision[] = []
  for (const { metadata, spec } of sets) {
    const owner = ownerOf(metadata)
    if (owner && spec.template) found.push({ owner, metadata, number: undefined, template: spec.template })
  }
  for (const { metadata, revision, data } of revisions) {
    const owner = ownerOf(metadata)
    if (owner && data?.spec?.template) found.push({ owner, metadata, number: revision, template: data.spec.template })
  }

  const named = new Map<string, string>()
  for (const { kind, metadata, service } of workloads) named.set(key(metadata.namespace, kind, metadata.name), service)
  const setOwners = new Map(sets.map(({ metadata }) => [metadata.uid, ownerOf(metadata)]))
  for (const { metadata } of sets) {
    const owner = ownerOf(metadata)
    if (owner) named.set(key(metadata.namespace, 'ReplicaSet', metadata.name), owner.service)
  }
  const owned = pods.map((one) => {
    const { metadata } = one
    const [reference] = metadata.ownerReferences
    const owner = ownerOf(metadata) ?? (reference && setOwners.get(reference.uid))
    const name = reference?.name ?? metadata.name
    const service = owner?.service ?? serviceFor(naming, metadata.namespace, name, metadata.labels, undefined)
    named.set(key(metadata.namespace, 'Pod', metadata.name), service)
    return { ...one, service }
  })
  return {
    workloads,
    revisions: found,
    pods: owned,
    problems,
    serviceOf: (namespace, kind, name) =>
      named.get(key(namespace, kind, name)) ??
      byName(named, namespace, kind, name) ??
      overridden(naming, namespace, name),
  }
}

const key = (namespace: string, kind: string, name: string): string => `${namespace}/${kind}/${name}`

/** Pods that are gone, claims and autoscalers: their names begin with their workload's, whose rest is made up by a controller. */
function byName(named: ReadonlyMap<string, string>, namespace: string, kind: string, name: string): string | undefined {
  const parents =
    kind === 'Pod'
      ? [
          ['ReplicaSet', name.replace(/-[a-z0-9]{5}$/, '')],
          ['Deployment', name.replace(/-[a-z0-9]{6,10}-[a-z0-9]{5}$/, '')],
          ['StatefulSet', name.replace(/-\d+$/, '')],
          ['DaemonSet', name.replace(/-[a-z0-9]{5}$/, '')],
        ]
      : [
          ['Deployment', kind === 'ReplicaSet' ? name.replace(/-[a-z0-9]{6,10}$/, '') : name],
          ['StatefulSet', name],
        ]
  for (const [parent = '', guess = ''] of parents) {
    const service = named.get(key(namespace, parent, guess))
    if (service !== undefined) return service
  }
  return undefined
}

function overridden({ services }: ServiceNaming, namespace: string, name: string): string {
  for (const at of [`${namespace}/${name}`, name]) if (Object.hasOwn(services, at)) return services[at] ?? name
  return name
}

function serviceFor(
  naming: ServiceNaming,
  namespace: string,
  name: string,
  own: Readonly<Record<string, string>>,
  pods: Readonly<Record<string, string>> | undefined,
): string {
  const told = overridden(naming, namespace, name)
  if (told !== name) return told
  for (const labels of [own, pods ?? {}])
    for (const label of naming.serviceLabels) {
      const value = Object.hasOwn(labels, label) ? labels[label] : undefined
      if (value !== undefined && value !== '') return value
    }
  return name
}
