// What is read of the objects of the Kubernetes API (core/v1, apps/v1), and nothing beside it.
import { z } from 'zod'
import { msOfIso } from '../../core/read-time.ts'

/** RFC 3339 as Kubernetes prints Time and MicroTime; what is no time is none. */
const time = z
  .string()
  .nullish()
  .transform((text) => (text == null ? undefined : msOfIso(text)))
const strings = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {})
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined)

const managed = z.object({
  manager: z.string().nullish(),
  operation: z.string().nullish(),
  subresource: z.string().nullish(),
  time,
  fieldsV1: z.record(z.string(), z.unknown()).nullish(),
})

export const metadata = z.object({
  name: z.string(),
  namespace: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  uid: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  creationTimestamp: time,
  labels: strings,
  annotations: strings,
  ownerReferences: z
    .array(z.object({ kind: z.string(), name: z.string(), uid: z.string(), controller: z.boolean().nullish() }))
    .nullish()
    .transform((list) => list ?? []),
  managedFields: z
    .array(managed)
    .nullish()
    .transform((list) => list ?? []),
})
export type Metadata = z.output<typeof metadata>

export const onlyMetadata = z.object({ metadata })

/** A pod template: what of it is compared is compared as it came. */
const template = z.looseObject({
  metadata: z.looseObject({ labels: strings, annotations: strings }).nullish(),
  spec: z
    .looseObject({
      containers: z
        .array(z.looseObject({ name: z.string(), image: z.string().nullish() }))
        .nullish()
        .transform((list) => list ?? []),
    })
    .nullish(),
})
export type PodTemplate = z.output<typeof template>

/** Deployment, StatefulSet, DaemonSet. */
export const workload = z.object({
  metadata,
  spec: z.object({ replicas: number, template: template.nullish() }),
  status: z
    .object({
      readyReplicas: number,
      /** Of a DaemonSet. */
      numberReady: number,
      desiredNumberScheduled: number,
    })
    .nullish(),
})

export const replicaSet = z.object({ metadata, spec: z.object({ template: template.nullish() }) })

export const controllerRevision = z.object({
  metadata,
  revision: z.number(),
  data: z.object({ spec: z.object({ template: template.nullish() }).nullish() }).nullish(),
})

const terminated = z.object({
  exitCode: z.number().nullish(),
  signal: z.number().nullish(),
  reason: z.string().nullish(),
  startedAt: time,
  finishedAt: time,
})
const containerStatus = z.object({
  name: z.string(),
  ready: z.boolean().nullish(),
  restartCount: z
    .number()
    .nullish()
    .transform((value) => value ?? 0),
  state: z
    .object({ waiting: z.object({ reason: z.string().nullish() }).nullish(), terminated: terminated.nullish() })
    .nullish(),
  lastState: z.object({ terminated: terminated.nullish() }).nullish(),
})
const statuses = z
  .array(containerStatus)
  .nullish()
  .transform((list) => list ?? [])

export const pod = z.object({
  metadata,
  status: z
    .object({ phase: z.string().nullish(), containerStatuses: statuses, initContainerStatuses: statuses })
    .nullish(),
})
export type Pod = z.output<typeof pod>

export const event = z.object({
  metadata,
  involvedObject: z.object({
    kind: z
      .string()
      .nullish()
      .transform((value) => value ?? ''),
    namespace: z.string().nullish(),
    name: z
      .string()
      .nullish()
      .transform((value) => value ?? ''),
    uid: z.string().nullish(),
  }),
  reason: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  message: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  type: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  count: number,
  firstTimestamp: time,
  lastTimestamp: time,
  eventTime: time,
  series: z.object({ count: number, lastObservedTime: time }).nullish(),
})
export type KubeEvent = z.output<typeof event>

export const EVENTS = { group: 'api/v1', plural: 'events' } as const
export const PODS = { group: 'api/v1', plural: 'pods' } as const
export const CONFIG_MAPS = { group: 'api/v1', plural: 'configmaps' } as const
export const SECRETS = { group: 'api/v1', plural: 'secrets' } as const
export const REPLICA_SETS = { group: 'apis/apps/v1', plural: 'replicasets' } as const
export const CONTROLLER_REVISIONS = { group: 'apis/apps/v1', plural: 'controllerrevisions' } as const
export const WORKLOADS = [
  { kind: 'Deployment', group: 'apis/apps/v1', plural: 'deployments' },
  { kind: 'StatefulSet', group: 'apis/apps/v1', plural: 'statefulsets' },
  { kind: 'DaemonSet', group: 'apis/apps/v1', plural: 'daemonsets' },
] as const
