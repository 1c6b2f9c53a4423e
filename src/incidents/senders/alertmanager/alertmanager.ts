// Alertmanager's webhook (version 4, and version 3 where it has the same shape) as alerts of ours. Unknown fields are
// no error: they stay in the stored body. A body is understood whole or refused whole, naming the field at fault.
// Limits: 10,000 alerts, 200 labels an alert, 300 characters a label name; longer values are clipped, with a mark,
// after the alert's identity was taken from the whole.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
import { z } from 'zod'
import { parseAs } from '../../../core/parse.ts'
import type { Labels } from '../../../core/telemetry.ts'
import { isNoTime, parseTime } from '../../alert-times.ts'
import { completeLabelled, type IncomingAlert, MAX_LABEL_NAME, MAX_LABELS } from '../../incoming-alert.ts'
import type { Reading, Sender } from '../sender.ts'

const MAX_ALERTS = 10_000

/**
 * Text by name. Copied with `Object.fromEntries`, which gives a key called `__proto__` no power. Numbers and truth
 * values are taken as their text: a sender that writes 5 for "5" should not lose its alerts for it.
 */
const textByName = z.unknown().transform((given, context): Labels => {
  const refuse = (message: string, path: PropertyKey[] = []): never => {
    context.addIssue({ code: 'custom', message, path })
    return z.NEVER
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return refuse('expected an object of names and texts')
  const entries = Object.entries(given)
  if (entries.length > MAX_LABELS) return refuse(`has ${entries.length} entries, at most ${MAX_LABELS} are taken`)
  const kept: [string, string][] = []
  for (const [name, value] of entries) {
    if (name.length > MAX_LABEL_NAME)
      return refuse(`the name ${name.slice(0, 40)}… has ${name.length} characters, at most ${MAX_LABEL_NAME} are taken`)
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      return refuse('expected text', [name])
    kept.push([name, String(value)])
  }
  return Object.fromEntries(kept)
})

const time = z.string('expected a time such as 2026-11-23T03:12:40Z').transform((text, context) => {
  const ms = parseTime(text)
  if (ms !== undefined) return ms
  context.addIssue({ code: 'custom', message: 'expected a time such as 2026-11-23T03:12:40Z' })
  return z.NEVER
})

const status = z.enum(['firing', 'resolved'], 'expected firing or resolved')

export const alertmanagerAlert = z.object(
  {
    status: status.nullish(),
    labels: textByName.refine((labels) => Object.keys(labels).length > 0, 'an alert needs at least one label'),
    annotations: textByName.nullish(),
    startsAt: time,
    endsAt: z
      .union([z.literal(''), time], 'expected a time such as 2026-11-23T03:12:40Z, or 0001-01-01T00:00:00Z for none')
      .nullish(),
    generatorURL: z.string().nullish(),
  },
  'expected an alert: an object with labels and startsAt',
)
type GivenAlert = z.output<typeof alertmanagerAlert>

const NOT_A_WEBHOOK =
  'expected an Alertmanager webhook of version 4, an object {"version": "4", "groupKey": …, "status": …, "alerts": […]}'

/** The fields of a webhook whose alerts are at least Alertmanager's. */
export const alertmanagerFields = <T extends z.ZodType<GivenAlert>>(alert: T) => ({
  // First, so that the body of another sender is told what it is not, rather than about its first odd field.
  alerts: z
    .array(alert, `${NOT_A_WEBHOOK}; alerts must be a list`)
    .min(1, 'holds no alert')
    .max(MAX_ALERTS, `holds more than ${MAX_ALERTS.toLocaleString('en')} alerts: send fewer at once (max_alerts)`),
  version: z.union([z.string(), z.number()]).nullish(),
  status: status.nullish(),
  groupKey: z.union([z.string(), z.number()]).nullish(),
  groupLabels: textByName.nullish(),
  /** How many alerts the sender left out of this body (`max_alerts`). */
  truncatedAlerts: z.number().int().nonnegative().catch(0).default(0),
})

const alertmanagerWebhook = z.object(alertmanagerFields(alertmanagerAlert), NOT_A_WEBHOOK)
type Webhook<T extends GivenAlert> = Omit<z.output<typeof alertmanagerWebhook>, 'alerts'> & {
  readonly alerts: readonly T[]
}

export const alertmanager: Sender = {
  name: 'alertmanager',
  aliases: ['prometheus'],
  title: 'Alertmanager',
  recognises: (body) =>
    Array.isArray(body['alerts']) && ('groupLabels' in body || 'receiver' in body || 'commonLabels' in body),
  read: (body, { nowMs }) => {
    // A list of bare alerts is what Prometheus itself sends.
    const given = 'alerts' in body || !('labels' in body) ? body : { alerts: [body] }
    return readLabelledAlerts(parseAs(alertmanagerWebhook, given), nowMs)
  },
}

/** What a sender knows of an alert beyond what Alertmanager does. */
export interface Dress {
  readonly name?: string | undefined
  readonly annotations: Readonly<Record<string, string | undefined>>
  readonly urls: readonly (string | null | undefined)[]
}

/** The alerts of a webhook, each life once: a body that holds the same one twice counts as one that holds it once. */
export function readLabelledAlerts<T extends GivenAlert>(
  webhook: Webhook<T>,
  nowMs: number,
  dress?: (given: T) => Dress,
): Reading {
  const lives = new Map<string, IncomingAlert>()
  const groupKey = groupKeyOf(webhook)
  for (const given of webhook.alerts) {
    const incoming = readAlert(given, webhook.status, groupKey, nowMs, dress?.(given))
    const life = `${incoming.identity} ${incoming.startsAtMs}`
    if (lives.get(life)?.status !== 'resolved') lives.set(life, incoming)
  }
  const { truncatedAlerts } = webhook
  return {
    alerts: [...lives.values()],
    accepted: webhook.alerts.length,
    ...(truncatedAlerts > 0 ? { truncated: truncatedAlerts } : {}),
  }
}

function readAlert(
  given: GivenAlert,
  groupStatus: 'firing' | 'resolved' | null | undefined,
  groupKey: string | null,
  nowMs: number,
  dress: Dress | undefined,
): IncomingAlert {
  const { labels } = given
  const endsAt = typeof given.endsAt === 'number' && !isNoTime(given.endsAt) ? given.endsAt : null
  // Its own times count for more than the word: a copy that was delayed says `firing` of what has ended.
  // In a group that is resolved everything is; a group that is firing says nothing of one alert.
  const said = given.status ?? (groupStatus === 'resolved' ? 'resolved' : 'firing')
  const ended = said === 'resolved' || (endsAt !== null && endsAt <= nowMs)
  return completeLabelled({
    name: dress?.name ?? (own(labels, 'alertname')?.trim() || own(labels, 'alert')?.trim() || 'unnamed alert'),
    severity: own(labels, 'severity') ?? own(labels, 'priority') ?? own(labels, 'level'),
    status: ended ? 'resolved' : 'firing',
    startsAtMs: given.startsAt,
    endsAtMs: ended ? (endsAt ?? nowMs) : null,
    endsByMs: ended ? null : endsAt,
    labels,
    annotations: { ...dress?.annotations, ...given.annotations },
    urls: dress?.urls ?? [given.generatorURL],
    groupKey,
  })
}

/** Alertmanager's own group, unless it says too little: everything in one group, or all of one severity. */
function groupKeyOf({ groupKey, groupLabels }: Pick<Webhook<GivenAlert>, 'groupKey' | 'groupLabels'>): string | null {
  const telling = Object.keys(groupLabels ?? {}).some((label) => label !== 'severity')
  return groupKey === undefined || groupKey === null || !telling ? null : String(groupKey)
}

const own = (labels: Labels, name: string): string | undefined =>
  Object.hasOwn(labels, name) ? labels[name] : undefined
