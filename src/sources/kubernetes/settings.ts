// Config maps and secrets that were changed: when, by which program, and which keys. Only their metadata is asked for, so that no
// content is ever sent. One that a workload refers to is a change of that workload's service.
import type { Change } from '../../core/telemetry.ts'
import type { Metadata, PodTemplate } from './objects.ts'
import type { Running } from './workloads.ts'

export type SettingsKind = 'ConfigMap' | 'Secret'

const MOST_KEYS = 12
/** Kubernetes's and its controllers' own, which change all the time or never matter. */
const OWN = /^kube-root-ca\.crt$|-lock$|-leader$|leader-elect/
const LEADER = 'control-plane.alpha.kubernetes.io/leader'

export function settingsChanges(
  kind: SettingsKind,
  objects: readonly { readonly metadata: Metadata }[],
  { workloads }: Running,
  serviceLabels: readonly string[],
): Change[] {
  const users = new Map<string, Set<string>>()
  for (const { metadata, template, service } of workloads) {
    for (const name of template ? settingsIn(template)[kind] : []) {
      const at = `${metadata.namespace}/${name}`
      users.set(at, (users.get(at) ?? new Set()).add(service))
    }
  }
  return objects.flatMap(({ metadata }) => {
    const { namespace, name, labels, annotations, managedFields, creationTimestamp, uid } = metadata
    if (OWN.test(name) || Object.hasOwn(annotations, LEADER)) return []
    const label = serviceLabels.map((one) => labels[one]).find((value) => value !== undefined && value !== '')
    const services = users.get(`${namespace}/${name}`) ?? new Set(label === undefined ? [] : [label])
    return managedFields.flatMap(({ time, manager, fieldsV1 }) => {
      const keys = ['f:data', 'f:binaryData', 'f:stringData'].flatMap((field) => keysIn(fieldsV1?.[field]))
      if (time === undefined || (keys.length === 0 && !Object.hasOwn(fieldsV1 ?? {}, 'f:data'))) return []
      const what = creationTimestamp === time ? 'created' : 'changed'
      const named =
        keys.length === 0 ? '' : `, keys ${keys.slice(0, MOST_KEYS).join(', ')}${keys.length > MOST_KEYS ? ', …' : ''}`
      return [...services].map((service): Change => ({
        id: `kubernetes:${uid}:${time}:${service}`.slice(0, 200),
        at: time,
        service,
        kind: 'config',
        summary: `${kind} ${namespace}/${name} ${what}${named}`,
        ...(manager == null ? {} : { author: manager }),
      }))
    })
  })
}

const keysIn = (fields: unknown): string[] =>
  typeof fields === 'object' && fields !== null
    ? Object.keys(fields).flatMap((name) => (name.startsWith('f:') ? [name.slice(2)] : []))
    : []

/** The names of what a pod template takes its settings from, wherever in it they stand. */
function settingsIn(template: PodTemplate): Readonly<Record<SettingsKind, ReadonlySet<string>>> {
  const found = { ConfigMap: new Set<string>(), Secret: new Set<string>() }
  const add = (kind: SettingsKind, name: unknown): void => {
    if (typeof name === 'string' && name !== '') found[kind].add(name)
  }
  const nameIn = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined
  const look = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 8) return
    for (const [field, inner] of Object.entries(value)) {
      if (field === 'configMap' || field === 'configMapRef' || field === 'configMapKeyRef')
        add('ConfigMap', nameIn(inner))
      else if (field === 'secretRef' || field === 'secretKeyRef') add('Secret', nameIn(inner))
      else if (field === 'secret' && typeof inner === 'object' && inner !== null)
        add('Secret', 'secretName' in inner ? inner.secretName : nameIn(inner))
      else look(inner, depth + 1)
    }
  }
  look(template.spec ?? {}, 0)
  return found
}
