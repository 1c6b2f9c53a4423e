// Alertmanager's dispatcher: alerts gather in groups by some of their labels; a group waits a little before its first
// notification, then looks again at every interval and notifies when something changed or it was long ago. A
// notification counts only once it was delivered; until then the group offers it again, as it stands then.
import type { Labels } from '../../src/core/telemetry.ts'
import type { FiredAlert } from './alert-state.ts'

export interface GroupingOptions {
  readonly groupBy: readonly string[]
  readonly groupWaitMs: number
  readonly groupIntervalMs: number
  readonly repeatIntervalMs: number
}

export interface Notification {
  readonly groupKey: string
  readonly groupLabels: Labels
  readonly alerts: readonly FiredAlert[]
  /** True when it makes news; false when it only repeats. */
  readonly news: boolean
}

interface Group {
  readonly key: string
  readonly labels: Labels
  readonly alerts: Map<string, FiredAlert>
  nextFlushMs: number
  told: { readonly firing: ReadonlySet<string>; readonly resolved: ReadonlySet<string>; readonly atMs: number } | null
}

export interface Groups {
  /** Takes the alerts as they are now. */
  put(alerts: readonly FiredAlert[], nowMs: number): void
  /** The notifications to send now. Each is offered again at the next interval unless `delivered` is called. */
  due(nowMs: number): readonly Notification[]
  delivered(notification: Notification, nowMs: number): void
}

export function createGroups(options: GroupingOptions): Groups {
  const groups = new Map<string, Group>()

  const put = (alert: FiredAlert, nowMs: number): void => {
    const labels = Object.fromEntries(options.groupBy.map((name) => [name, alert.labels[name] ?? '']))
    const key = `{}:${printLabels(labels)}`
    const known = groups.get(key)
    // One that was over before anybody heard of it, or whose end was told, is no news.
    if (isResolved(alert) && !known?.alerts.has(alert.fingerprint)) return
    const group = known ?? { key, labels, alerts: new Map(), nextFlushMs: nowMs + options.groupWaitMs, told: null }
    group.alerts.set(alert.fingerprint, alert)
    groups.set(key, group)
  }

  return {
    put: (alerts, nowMs) => {
      for (const alert of alerts) put(alert, nowMs)
    },
    due: (nowMs) => {
      const notifications: Notification[] = []
      for (const group of groups.values()) {
        if (nowMs < group.nextFlushMs) continue
        group.nextFlushMs = nowMs + options.groupIntervalMs
        const alerts = [...group.alerts.values()]
        const why = reasonToNotify(group, alerts, nowMs, options.repeatIntervalMs)
        if (why !== null) {
          notifications.push({ groupKey: group.key, groupLabels: group.labels, alerts, news: why === 'news' })
        } else if (alerts.every(isResolved)) groups.delete(group.key)
      }
      return notifications
    },
    delivered: ({ groupKey, alerts }, nowMs) => {
      const group = groups.get(groupKey)
      if (!group) return
      const ids = (those: readonly FiredAlert[]) => new Set(those.map(lifeOf))
      group.told = {
        firing: ids(alerts.filter((a) => !isResolved(a))),
        resolved: ids(alerts.filter(isResolved)),
        atMs: nowMs,
      }
      for (const alert of alerts) {
        const now = group.alerts.get(alert.fingerprint)
        if (isResolved(alert) && now && lifeOf(now) === lifeOf(alert)) group.alerts.delete(alert.fingerprint)
      }
    },
  }
}

const isResolved = (alert: FiredAlert): boolean => alert.endsAtMs !== null

const lifeOf = (alert: FiredAlert): string => `${alert.fingerprint}@${alert.startsAtMs}`

/** The rule of Alertmanager's dedup stage (`needsUpdate`). */
function reasonToNotify(
  { told }: Group,
  alerts: readonly FiredAlert[],
  nowMs: number,
  repeatMs: number,
): 'news' | 'repeat' | null {
  const firing = alerts.filter((alert) => !isResolved(alert)).map(lifeOf)
  const resolved = alerts.filter(isResolved).map(lifeOf)
  if (!told) return firing.length > 0 ? 'news' : null
  if (firing.some((life) => !told.firing.has(life))) return 'news'
  if (resolved.some((life) => !told.resolved.has(life))) return 'news'
  return firing.length > 0 && nowMs - told.atMs >= repeatMs ? 'repeat' : null
}

function printLabels(labels: Labels): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${name}=${JSON.stringify(labels[name])}`)
  return `{${pairs.join(', ')}}`
}
