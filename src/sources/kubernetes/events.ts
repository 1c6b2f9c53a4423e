// Events and the ends of containers as log lines. An event that happened often is one object with a count: it is a line when it
// first happened and a line when it last did. A container's last end is kept in its pod's status, with the reason (OOMKilled)
// that no event tells.
import type { LogLevel, LogLine } from '../../core/telemetry.ts'
import type { KubeEvent, Pod } from './objects.ts'
import type { Running } from './workloads.ts'

const BAD = /OOM|BackOff|^Failed|^Err|Evict|NotReady|Preempt|^Unhealthy$|Unreachable|^BackoffLimit|Deadline/

export interface EventTimes {
  readonly first: number | undefined
  readonly last: number | undefined
  readonly count: number
}

/** Both the older way of counting and that of series. */
export function timesOf({ series, count, firstTimestamp, lastTimestamp, eventTime, metadata }: KubeEvent): EventTimes {
  const made = eventTime ?? metadata.creationTimestamp
  const first = firstTimestamp ?? made ?? lastTimestamp
  return {
    first,
    last: series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? first,
    count: Math.max(1, series?.count ?? count ?? 1),
  }
}

export function eventLines(event: KubeEvent, running: Running): LogLine[] {
  const { first, last, count } = timesOf(event)
  const lines: LogLine[] = []
  if (first !== undefined) lines.push(eventLine(event, running, first, 1))
  if (last !== undefined && count > 1 && last !== first) lines.push(eventLine(event, running, last, count))
  return lines
}

/** The line of an event as it was when it had happened so often. */
export function eventLine(event: KubeEvent, running: Running, at: number, count: number): LogLine {
  const { involvedObject, reason, message, type, metadata } = event
  const { kind, name } = involvedObject
  const namespace = involvedObject.namespace ?? metadata.namespace
  const times = count > 1 ? `, ${count} times` : ''
  return {
    at,
    service: kind === 'Node' ? name : running.serviceOf(namespace, kind, name),
    level: levelOf(type, reason),
    message: `${reason}: ${message.slice(0, 4000)} (${kind.toLowerCase()} ${name}${times})`,
    ref: printRef(['event', metadata.namespace, metadata.name, metadata.uid, String(at), String(count)]),
  }
}

/** How each container of a pod last ended, if it did. */
export function endLines(pod: Pod & { readonly service: string }): LogLine[] {
  const { metadata, status, service } = pod
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap((container) => {
    const ends = [container.state?.terminated, container.lastState?.terminated]
    return ends.flatMap((end): LogLine[] => {
      const at = end?.finishedAt
      if (!end || at === undefined) return []
      const well = end.exitCode === 0
      const how = end.signal == null ? `exit code ${end.exitCode ?? 'unknown'}` : `signal ${end.signal}`
      return [
        {
          at,
          service,
          level: well ? 'info' : 'error',
          message: `container ${container.name} ended: ${end.reason ?? 'unknown reason'}, ${how} (pod ${metadata.name})`,
          ref: printRef(['end', metadata.namespace, metadata.name, metadata.uid, container.name, String(at)]),
        },
      ]
    })
  })
}

function levelOf(type: string, reason: string): LogLevel {
  if (type === 'Normal') return BAD.test(reason) ? 'warn' : 'info'
  return BAD.test(reason) ? 'error' : 'warn'
}

const printRef = (parts: readonly string[]): string => ['kubernetes', ...parts.map(encodeURIComponent)].join('|')

/** The parts of a reference that begins with `kind`, or undefined. */
export function parseRef(ref: string, kind: 'event' | 'end'): readonly string[] | undefined {
  const [source, of, ...parts] = ref.split('|')
  if (source !== 'kubernetes' || of !== kind || parts.length !== 5) return undefined
  try {
    return parts.map(decodeURIComponent)
  } catch {
    return undefined
  }
}
