// How the pods of a cluster are now, as samples under the names that kube-state-metrics has, where it has them.
import type { Place } from '../sampling/sampler.ts'
import type { Family, Sample } from '../sampling/sample.ts'
import type { Workloads } from './workloads.ts'

const FAMILIES: readonly Family[] = [
  { name: 'kube_pod_container_status_restarts_total', type: 'counter', help: 'Restarts of a container.' },
  { name: 'kube_workload_ready_ratio', type: 'gauge', help: 'Replicas that are ready, of those that should be.' },
  { name: 'kube_pods_waiting', type: 'gauge', help: 'Pods with a container that cannot be started.' },
]

export const clusterHealth = (workloads: Workloads): Place => ({
  key: 'kubernetes',
  labels: {},
  detail: { source: 'kubernetes' },
  async look(_atMs, signal) {
    const { workloads: all, pods } = await workloads.running(signal)
    const samples: Sample[] = []
    const waiting = new Map<string, number>()
    for (const { kind, metadata, service, desired, ready } of all) {
      waiting.set(service, waiting.get(service) ?? 0)
      if (desired === 0) continue
      samples.push({
        name: 'kube_workload_ready_ratio',
        labels: [
          ['instance', `${kind} ${metadata.namespace}/${metadata.name}`],
          ['service', service],
        ],
        value: Math.min(1, ready / desired),
      })
    }
    for (const { metadata, status, service } of pods) {
      const containers = status?.containerStatuses ?? []
      for (const { name, restartCount } of containers)
        samples.push({
          name: 'kube_pod_container_status_restarts_total',
          labels: [
            ['container', name],
            ['namespace', metadata.namespace],
            ['pod', metadata.name],
            ['service', service],
          ],
          value: restartCount,
        })
      const stuck = containers.some(({ state }) => /BackOff|Err/.test(state?.waiting?.reason ?? ''))
      if (stuck || status?.phase === 'Pending') waiting.set(service, (waiting.get(service) ?? 0) + 1)
    }
    for (const [service, value] of waiting)
      samples.push({ name: 'kube_pods_waiting', labels: [['service', service]], value })
    return { problem: '', samples, families: FAMILIES }
  },
})
