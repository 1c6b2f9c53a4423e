// A Kubernetes cluster as the three kinds of source: rollouts, scalings and changed settings as changes, events and the ends of
// containers as log lines, and how its pods are as numbers. All share one reading of what runs. Settings are sources of their
// own, so that an account that may not list them costs nothing else.
import type { Clock } from '../../core/clock.ts'
import { isAtLeast } from '../../core/log-level.ts'
import type { Change, ChangeSource, LogLine, LogSource } from '../../core/telemetry.ts'
import type { Place } from '../sampling/sampler.ts'
import { type ClusterOptions, createCluster } from './cluster.ts'
import { endLines, eventLine, eventLines, parseRef, timesOf } from './events.ts'
import { clusterHealth } from './health.ts'
import { CONFIG_MAPS, event, EVENTS, onlyMetadata, pod, PODS, SECRETS } from './objects.ts'
import { rolloutsOf } from './rollouts.ts'
import { scalingsOf } from './scaling.ts'
import { settingsChanges, type SettingsKind } from './settings.ts'
import { createWorkloads, type ServiceNaming } from './workloads.ts'

export interface KubernetesOptions extends ClusterOptions, ServiceNaming {
  /** Annotations of workloads that name who rolled out. */
  readonly authorAnnotations: readonly string[]
  /** Whether it is told that secrets were changed; the account has to be allowed to list them. */
  readonly secrets: boolean
  readonly clock: Clock
}

export interface KubernetesSources {
  readonly changes: readonly ChangeSource[]
  readonly logs: LogSource
  /** What a sampler looks at. */
  readonly health: Place
}

export function createKubernetesSources(options: KubernetesOptions): KubernetesSources {
  const cluster = createCluster(options)
  const workloads = createWorkloads(cluster, options, options.clock)

  const settings = (name: string, kind: SettingsKind, plural: typeof CONFIG_MAPS | typeof SECRETS): ChangeSource => ({
    name,
    async read(range, signal) {
      const [{ items }, running] = await Promise.all([
        cluster.list(plural, onlyMetadata, signal, true),
        workloads.running(signal),
      ])
      return within(settingsChanges(kind, items, running, options.serviceLabels), range)
    },
  })

  const changes: ChangeSource = {
    name: 'kubernetes',
    async read(range, signal) {
      const [{ items }, running] = await Promise.all([cluster.list(EVENTS, event, signal), workloads.running(signal)])
      return within([...rolloutsOf(running, options.authorAnnotations), ...scalingsOf(running, items)], range)
    },
  }

  const logs: LogSource = {
    name: 'kubernetes',
    async read({ fromMs, toMs, services, minLevel, limit }, signal) {
      const [events, running] = await Promise.all([cluster.list(EVENTS, event, signal), workloads.running(signal)])
      const problems = [...running.problems]
      if (events.cut) problems.push('there are more events than are read: name fewer namespaces')
      const found = new Map<string, LogLine>()
      for (const line of [
        ...events.items.flatMap((one) => eventLines(one, running)),
        ...running.pods.flatMap((one) => endLines(one)),
      ])
        if (
          line.at >= fromMs &&
          line.at <= toMs &&
          (services === undefined || services.includes(line.service)) &&
          (minLevel === undefined || isAtLeast(line.level, minLevel))
        )
          found.set(line.ref, line)
      const lines = [...found.values()].sort((a, b) => a.at - b.at || (a.ref < b.ref ? -1 : 1))
      const kept = limit > 0 ? lines.slice(-limit) : []
      return {
        lines: kept,
        truncated: kept.length < lines.length || events.cut,
        ...(problems.length === 0 ? {} : { problems }),
      }
    },
    async findLine(ref, signal) {
      signal.throwIfAborted()
      const [namespace = '', name = '', uid, at = '', count = ''] = parseRef(ref, 'event') ?? []
      if (uid !== undefined) {
        const found = await cluster.read(EVENTS, namespace, name, event, signal)
        if (!found || found.metadata.uid !== uid) return undefined
        const times = timesOf(found)
        // It may have happened again since: that it had by then is as true as it was.
        const known = Number(at) === times.first || (times.last ?? 0) >= Number(at)
        if (!known || !(times.count >= Number(count))) return undefined
        return eventLine(found, await workloads.running(signal), Number(at), Number(count))
      }
      const [space = '', podName = '', podUid] = parseRef(ref, 'end') ?? []
      if (podUid === undefined) return undefined
      const found = await cluster.read(PODS, space, podName, pod, signal)
      if (!found || found.metadata.uid !== podUid) return undefined
      const service = (await workloads.running(signal)).serviceOf(space, 'Pod', podName)
      return endLines({ ...found, service }).find((line) => line.ref === ref)
    },
  }

  return {
    changes: [
      changes,
      settings('kubernetes config maps', 'ConfigMap', CONFIG_MAPS),
      ...(options.secrets ? [settings('kubernetes secrets', 'Secret', SECRETS)] : []),
    ],
    logs,
    health: clusterHealth(workloads),
  }
}

const within = (changes: readonly Change[], { fromMs, toMs }: { fromMs: number; toMs: number }): readonly Change[] =>
  changes.filter(({ at }) => at >= fromMs && at <= toMs).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
