// Which service an alert speaks of, and where it happened, read from its labels.
import type { Labels } from '../core/telemetry.ts'

/**
 * First present wins. `job` comes late: in Kubernetes it often names the exporter that looked, not what it looked at;
 * for the same reason values that are well-known exporters are passed over wherever they stand.
 */
const SERVICE_LABELS = [
  'service',
  'service_name',
  'app',
  'application',
  'app_kubernetes_io_name',
  'label_app',
  'deployment',
  'statefulset',
  'daemonset',
  'component',
  'job',
  'job_name',
  'container',
] as const

const EXPORTERS =
  /^(?:.*[-_])?(?:kube-state-metrics|node-exporter|blackbox-exporter|windows-exporter)$|^(?:node|kubelet|cadvisor|blackbox|pushgateway|federate|kubernetes-(?:pods|nodes|cadvisor|service-endpoints|apiservers))$/

/** The service's name, or null when no label tells it. */
export function serviceOf(labels: Labels): string | null {
  for (const label of SERVICE_LABELS) {
    const value = own(labels, label)?.trim()
    if (value && !EXPORTERS.test(value)) return value
  }
  return null
}

const HOST_LABELS = ['node', 'host', 'hostname', 'nodename', 'kubernetes_node'] as const
const LOOPBACK = /^(?:127\.|localhost$|\[?::1\]?$)/

/** Machines that the labels name. The port of an instance is dropped, except on loopback, where it is all there is. */
export function placesOf(labels: Labels): readonly string[] {
  const places = HOST_LABELS.map((label) => own(labels, label)?.trim())
  const instance = own(labels, 'instance')?.trim()
  if (instance) {
    const host = instance.replace(/:\d+$/, '')
    places.push(LOOPBACK.test(host) ? instance : host)
  }
  return [...new Set(places.filter((place): place is string => place !== undefined && place !== ''))]
}

/** Labels come from strangers: one called `constructor` must not be found on the prototype. */
const own = (labels: Labels, name: string): string | undefined =>
  Object.hasOwn(labels, name) ? labels[name] : undefined
