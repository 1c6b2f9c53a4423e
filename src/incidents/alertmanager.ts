// Alertmanager's webhook (version 4, and version 3 where it has the same shape) as alerts of ours. Unknown fields are
// no error: they stay in the stored body. A body is understood whole or refused whole, naming the field at fault.
// Limits: 10,000 alerts, 200 labels an alert, 300 characters a label name; longer values are clipped, with a mark,
// after the alert's identity was taken from the whole.
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
import { z } from 'zod'
import type { Labels } from '../core/telemetry.ts'
import { serviceOf } from './alert-service.ts'
import { isNoTime, parseTime } from './alert-times.ts'
import { cleanText } from './clean-text.ts'
import { fingerprintOf, identityOf } from './fingerprint.ts'
import { normaliseSeverity, type Severity } from './severity.ts'

/** An alert as any intake hands it on. Times in ms since the epoch, as the sender gave them. */
export interface IncomingAlert {
  readonly identity: string
  readonly fingerprint: string
  readonly name: string
  readonly service: string | null
  readonly severity: Severity
  readonly status: 'firing' | 'resolved'
  readonly startsAtMs: number
  readonly endsAtMs: number | null
  /** The end that is announced of one that fires: it holds unless the alert is delivered again before. */
  readonly endsByMs: number | null
  readonly labels: Labels
  readonly annotations: Labels
  readonly url: string | null
  readonly groupKey: string | null
}

const MAX_ALERTS = 10_000
const MAX_LABELS = 200
const MAX_LABEL_NAME = 300
const MAX_VALUE = 10_000
const MAX_NAME = 200
const MAX_URL = 2000
const MAX_GROUP_KEY = 500

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

const alert = z.object(
  {
    status: status.optional(),
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

const NOT_A_WEBHOOK =
  'expected an Alertmanager webhook of version 4, an object {"version": "4", "groupKey": …, "status": …, "alerts": […]}'

export const alertmanagerWebhook = z.object(
  {
    // First, so that the body of another sender is told what it is not, rather than about its first odd field.
    alerts: z
      .array(alert, `${NOT_A_WEBHOOK}; alerts must be a list`)
      .min(1, 'holds no alert')
      .max(MAX_ALERTS, `holds more than ${MAX_ALERTS.toLocaleString('en')} alerts: send fewer at once (max_alerts)`),
    version: z.union([z.string(), z.number()]).optional(),
    status: status.optional(),
    groupKey: z.union([z.string(), z.number()]).optional(),
    groupLabels: textByName.nullish(),
    /** How many alerts the sender left out of this body (`max_alerts`). */
    truncatedAlerts: z.number().int().nonnegative().catch(0).default(0),
  },
  { error: (issue) => (Array.isArray(issue.input) ? `${NOT_A_WEBHOOK}, not a list` : NOT_A_WEBHOOK) },
)
export type AlertmanagerWebhook = z.output<typeof alertmanagerWebhook>

/** The alerts of a webhook, each life once: a body that holds the same one twice counts as one that holds it once. */
export function readAlerts(webhook: AlertmanagerWebhook, nowMs: number): readonly IncomingAlert[] {
  const lives = new Map<string, IncomingAlert>()
  const groupKey = groupKeyOf(webhook)
  for (const given of webhook.alerts) {
    const incoming = readAlert(given, webhook.status, groupKey, nowMs)
    const life = `${incoming.identity} ${incoming.startsAtMs}`
    if (lives.get(life)?.status !== 'resolved') lives.set(life, incoming)
  }
  return [...lives.values()]
}

function readAlert(
  given: AlertmanagerWebhook['alerts'][number],
  groupStatus: 'firing' | 'resolved' | undefined,
  groupKey: string | null,
  nowMs: number,
): IncomingAlert {
  const { labels } = given
  const endsAt = typeof given.endsAt === 'number' && !isNoTime(given.endsAt) ? given.endsAt : null
  // Its own times count for more than the word: a copy that was delayed says `firing` of what has ended.
  // In a group that is resolved everything is; a group that is firing says nothing of one alert.
  const said = given.status ?? (groupStatus === 'resolved' ? 'resolved' : 'firing')
  const ended = said === 'resolved' || (endsAt !== null && endsAt <= nowMs)
  const name = own(labels, 'alertname')?.trim() || own(labels, 'alert')?.trim() || 'unnamed alert'
  const service = serviceOf(labels)
  return {
    identity: identityOf(labels),
    fingerprint: fingerprintOf(labels),
    name: cleanText(name, MAX_NAME),
    service: service === null ? null : cleanText(service, MAX_NAME),
    severity: normaliseSeverity(own(labels, 'severity') ?? own(labels, 'priority') ?? own(labels, 'level')),
    status: ended ? 'resolved' : 'firing',
    startsAtMs: given.startsAt,
    endsAtMs: ended ? (endsAt ?? nowMs) : null,
    endsByMs: ended ? null : endsAt,
    labels: cleanAll(labels),
    annotations: cleanAll(given.annotations ?? {}),
    url: linkOf(given.generatorURL),
    groupKey,
  }
}

/** Alertmanager's own group, unless it says too little: everything in one group, or all of one severity. */
function groupKeyOf({ groupKey, groupLabels }: AlertmanagerWebhook): string | null {
  const telling = Object.keys(groupLabels ?? {}).some((label) => label !== 'severity')
  return groupKey === undefined || !telling ? null : cleanText(String(groupKey), MAX_GROUP_KEY)
}

/** Only what a page may link to: `javascript:` and the like are dropped. */
function linkOf(url: string | null | undefined): string | null {
  return url && url.length <= MAX_URL && /^https?:\/\//i.test(url) ? cleanText(url, MAX_URL) : null
}

const cleanAll = (texts: Labels): Labels =>
  Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [cleanText(name, MAX_LABEL_NAME), cleanText(value, MAX_VALUE)]),
  )

const own = (labels: Labels, name: string): string | undefined =>
  Object.hasOwn(labels, name) ? labels[name] : undefined
