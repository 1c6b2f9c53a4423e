// The body that Alertmanager posts to a webhook (version 4 of the payload), byte for byte in its shape: the zero time
// of Go for an alert that has not ended, labels in order, what is common to all alerts told apart.
import type { Labels } from '../../src/core/telemetry.ts'
import type { FiredAlert } from './alert-state.ts'
import type { Notification } from './grouping.ts'

const NOT_ENDED = '0001-01-01T00:00:00Z'

export interface WebhookOptions {
  readonly receiver: string
  readonly externalUrl: string
}

export function webhookBody(notification: Notification, { receiver, externalUrl }: WebhookOptions): string {
  const { alerts } = notification
  return JSON.stringify({
    receiver,
    status: alerts.some((alert) => alert.endsAtMs === null) ? 'firing' : 'resolved',
    alerts: alerts.map((alert) => ({
      status: alert.endsAtMs === null ? 'firing' : 'resolved',
      labels: sorted(alert.labels),
      annotations: sorted(alert.annotations),
      startsAt: new Date(alert.startsAtMs).toISOString(),
      endsAt: alert.endsAtMs === null ? NOT_ENDED : new Date(alert.endsAtMs).toISOString(),
      generatorURL: '',
      fingerprint: alert.fingerprint,
    })),
    groupLabels: sorted(notification.groupLabels),
    commonLabels: common(alerts, (alert) => alert.labels),
    commonAnnotations: common(alerts, (alert) => alert.annotations),
    externalURL: externalUrl,
    version: '4',
    groupKey: notification.groupKey,
    truncatedAlerts: 0,
  })
}

const sorted = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))

function common(alerts: readonly FiredAlert[], of: (alert: FiredAlert) => Labels): Labels {
  const [first, ...rest] = alerts.map(of)
  const shared = Object.entries(first ?? {}).filter(([name, value]) => rest.every((labels) => labels[name] === value))
  return sorted(Object.fromEntries(shared))
}
