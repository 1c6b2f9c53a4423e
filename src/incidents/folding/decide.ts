// The decision on one alert: it opens an incident, joins one, opens a closed one again, or is ignored or held back; always by a
// named rule and for a reason that a person can check. Pure: the same alert, incidents and topology give the same answer.
import type { Edge } from '../../core/telemetry.ts'
import { type AlertText, likeness } from './alike.ts'
import type { Lesson } from './lessons.ts'
import { keysToRelate, relate } from './relate.ts'

export interface FoldableAlert {
  readonly name: string
  readonly service: string | null
  readonly severity: string
  readonly status: 'firing' | 'resolved'
  readonly fingerprint: string
  /** The sender's own grouping. */
  readonly groupKey: string | null
  /** The values it has for our own grouping, `cluster=eu, alertname=Down`; null when it has none of those labels. */
  readonly grouping: string | null
  /** Machines it names. */
  readonly places: readonly string[]
  readonly text: AlertText
  /** When it began, as far as that can be believed. */
  readonly atMs: number
}

/** An incident that still takes alerts. */
export interface OpenIncident {
  readonly id: string
  readonly number: number
  /** `alertKeys` of its alerts; only those that the alert at hand could match are needed. */
  readonly keys: ReadonlySet<string>
  /** The services it is about, each with when it first hurt. */
  readonly services: readonly { readonly service: string; readonly firstAtMs: number }[]
  /** Of its alerts that have no service; only needed for an alert that has none. */
  readonly texts: readonly AlertText[]
  /** The times of its first and its latest alert. */
  readonly firstAtMs: number
  readonly lastAtMs: number
}

export interface FoldingRules {
  /** Alerts this close together can belong to one incident. */
  readonly windowMs: number
  /** The share of words in common that makes two alerts without a service one. */
  readonly textSimilarity: number
}

/** What is known of the alert beside itself and what is open. */
export interface Circumstances {
  /** What holds it back. */
  readonly muted?: { readonly rule: 'silence' | 'maintenance' | 'inhibition'; readonly reason: string } | undefined
  /** `flapping, 5 times in 12 min`. */
  readonly flapping?: string | undefined
  /** What people taught about it by merging and splitting. */
  readonly lessons?: readonly Lesson[] | undefined
  /** A closed incident that had the same alert and may open again, and how long it has been closed. */
  readonly recent?: { readonly id: string; readonly number: number; readonly closedForMs: number } | undefined
}

export type JoinRule =
  | 'lesson'
  | 'fingerprint'
  | 'flapping'
  | 'grouping'
  | 'service'
  | 'dependency'
  | 'place'
  | 'group'
  | 'text'
  | 'reopen'

export type Decision =
  | { readonly kind: 'opened'; readonly rule: 'new'; readonly reason: string }
  | { readonly kind: 'joined'; readonly rule: JoinRule; readonly reason: string; readonly incidentId: string }
  | { readonly kind: 'ignored'; readonly rule: 'ended' | 'watchdog' | 'severity'; readonly reason: string }
  | { readonly kind: 'muted'; readonly rule: 'silence' | 'maintenance' | 'inhibition'; readonly reason: string }

/** Alerts that always fire, to show that alerting works, or that only silence others. */
const WATCHDOGS = /^(?:watchdog|dead\s?man'?s?\s?(?:switch|snitch)|always\s?firing|info\s?inhibitor|heartbeat)$/i

export function decide(
  alert: FoldableAlert,
  open: readonly OpenIncident[],
  topology: readonly Edge[],
  rules: FoldingRules,
  circumstances: Circumstances = {},
): Decision {
  return decideAlone(alert, circumstances.muted) ?? decideAmong(alert, open, topology, rules, circumstances)
}

/** Of an alert that is over, asks nothing of people or is held back: whatever else is open does not matter. */
export function decideAlone(alert: FoldableAlert, muted: Circumstances['muted']): Decision | undefined {
  if (alert.status === 'resolved')
    return { kind: 'ignored', rule: 'ended', reason: 'it had ended before it was folded' }
  if (WATCHDOGS.test(alert.name.replaceAll(/[_-]/g, ' ')))
    return { kind: 'ignored', rule: 'watchdog', reason: `${alert.name} fires to show that alerting works` }
  if (alert.severity === 'info')
    return { kind: 'ignored', rule: 'severity', reason: 'its severity says that nobody has to act' }
  return muted && { kind: 'muted', rule: muted.rule, reason: muted.reason }
}

/** Of any other alert: the incident to which it belongs, or that it opens one. */
export function decideAmong(
  alert: FoldableAlert,
  open: readonly OpenIncident[],
  topology: readonly Edge[],
  rules: FoldingRules,
  { flapping, recent, lessons = [] }: Omit<Circumstances, 'muted'>,
): Decision {
  const refired = nearest(alert, withSameAlert(alert, open))
  if (refired && flapping !== undefined)
    return join('flapping', refired, `${flapping}; incident ${refired.number} has the same alert`)
  if (refired) return join('fingerprint', refired, `incident ${refired.number} has the same alert`)

  const grouped = alert.grouping === null ? undefined : nearest(alert, withKey(open, groupingKey(alert.grouping)))
  if (grouped) return join('grouping', grouped, `the same ${alert.grouping}`)

  const within = open.filter((incident) => distanceMs(alert, incident) <= rules.windowMs)
  const taught = lessons.find(({ kind, other }) => kind === 'together' && withKey(within, other).length > 0)
  const together = taught && nearest(alert, withKey(within, taught.other))
  if (taught && together) return join('lesson', together, taught.reason)
  const apart = lessons.filter(({ kind }) => kind === 'apart')
  const near = within.filter(({ keys }) => !apart.some(({ other }) => keys.has(other)))
  const keptOut = within.find((incident) => !near.includes(incident))
  const related =
    alert.service === null
      ? joinWithoutService(alert, near, rules)
      : joinByService(alert, alert.service, near, topology)
  if (related) return related
  if (recent) {
    const reason = `the same alert was part of it, and it has been closed for no more than ${spellMs(recent.closedForMs)}`
    return { kind: 'joined', rule: 'reopen', reason, incidentId: recent.id }
  }
  const but = keptOut ? `, and people took such alerts apart from those of incident ${keptOut.number}` : ''
  return { kind: 'opened', rule: 'new', reason: `no open incident within ${spellMs(rules.windowMs)} is related${but}` }
}

function joinByService(
  alert: FoldableAlert,
  service: string,
  near: readonly OpenIncident[],
  topology: readonly Edge[],
): Decision | undefined {
  const same = nearest(alert, withKey(near, serviceKey(service)))
  if (same) return join('service', same, `also ${service}, ${apart(alert, same)}`)
  const relations = near.flatMap((incident) => {
    const relation = relate({ service, atMs: alert.atMs }, incident.services, topology)
    return relation ? [{ incident, ...relation }] : []
  })
  // An incident one call away is preferred to one two calls away, whatever the time between.
  const least = Math.min(...relations.map(({ hops }) => hops))
  const closest = relations.filter(({ hops }) => hops === least)
  const incident = nearest(
    alert,
    closest.map((one) => one.incident),
  )
  const found = closest.find((one) => one.incident === incident)
  return found && join('dependency', found.incident, `${found.relation}, ${apart(alert, found.incident)}`)
}

function joinWithoutService(
  alert: FoldableAlert,
  near: readonly OpenIncident[],
  { textSimilarity }: FoldingRules,
): Decision | undefined {
  for (const place of alert.places) {
    const there = nearest(alert, withKey(near, placeKey(place)))
    if (there) return join('place', there, `also on ${place}, ${apart(alert, there)}`)
  }
  const grouped = alert.groupKey === null ? undefined : nearest(alert, withKey(near, groupKey(alert.groupKey)))
  if (grouped) return join('group', grouped, `the sender groups them together, ${apart(alert, grouped)}`)
  return joinByText(alert, near, textSimilarity)
}

const WORDS_TOLD = 6

function joinByText(alert: FoldableAlert, near: readonly OpenIncident[], threshold: number): Decision | undefined {
  let best: { incident: OpenIncident; share: number; common: readonly string[] } | undefined
  for (const incident of near)
    for (const text of incident.texts) {
      const { share, common } = likeness(alert.text, text)
      if (share < threshold || (best && share < best.share)) continue
      if (!best || share > best.share || nearest(alert, [best.incident, incident]) === incident)
        best = { incident, share, common }
    }
  if (!best) return undefined
  const { incident, share, common } = best
  const words = `${common.slice(0, WORDS_TOLD).join(', ')}${common.length > WORDS_TOLD ? ' …' : ''}`
  return join(
    'text',
    incident,
    `${Math.round(share * 100)} % of the words are the same (${words}), ${apart(alert, incident)}`,
  )
}

const join = (rule: JoinRule, incident: OpenIncident, reason: string): Decision => ({
  kind: 'joined',
  rule,
  reason,
  incidentId: incident.id,
})

const withKey = (incidents: readonly OpenIncident[], key: string): readonly OpenIncident[] =>
  incidents.filter((incident) => incident.keys.has(key))

/** Those that have the very same alert: while there are any, no closed one matters. */
export const withSameAlert = ({ fingerprint }: FoldableAlert, open: readonly OpenIncident[]): readonly OpenIncident[] =>
  withKey(open, fingerprintKey(fingerprint))

/** The one nearest in time; of equals the older one. */
function nearest(alert: FoldableAlert, incidents: readonly OpenIncident[]): OpenIncident | undefined {
  let best: OpenIncident | undefined
  for (const incident of incidents) {
    const closer = best === undefined ? -1 : distanceMs(alert, incident) - distanceMs(alert, best)
    if (best === undefined || closer < 0 || (closer === 0 && incident.number < best.number)) best = incident
  }
  return best
}

/** From the alert to the incident's first or latest one; 0 in between. */
const distanceMs = ({ atMs }: FoldableAlert, { firstAtMs, lastAtMs }: OpenIncident): number =>
  Math.max(0, firstAtMs - atMs, atMs - lastAtMs)

export const fingerprintKey = (fingerprint: string): string => `fingerprint:${fingerprint}`
export const serviceKey = (service: string): string => `service:${service}`
const groupKey = (key: string): string => `group:${key}`
const groupingKey = (grouping: string): string => `grouping:${grouping}`
const placeKey = (place: string): string => `place:${place}`

/** What an incident is remembered by once this alert belongs to it. */
export const alertKeys = (alert: FoldableAlert): readonly string[] => [
  fingerprintKey(alert.fingerprint),
  ...(alert.service === null ? [] : [serviceKey(alert.service)]),
  ...(alert.grouping === null ? [] : [groupingKey(alert.grouping)]),
  ...alert.places.map(placeKey),
  ...(alert.groupKey === null ? [] : [groupKey(alert.groupKey)]),
]

/** The keys by which this alert could join an incident: what has none of them need not be looked at, but for its text. */
export const keysToJoin = (alert: FoldableAlert, topology: readonly Edge[]): readonly string[] =>
  alert.service === null
    ? alertKeys(alert)
    : [
        fingerprintKey(alert.fingerprint),
        ...(alert.grouping === null ? [] : [groupingKey(alert.grouping)]),
        serviceKey(alert.service),
        ...keysToRelate(alert.service, topology).map(serviceKey),
      ]

const apart = (alert: FoldableAlert, incident: OpenIncident): string => {
  const ms = distanceMs(alert, incident)
  return ms < 1000 ? 'at the same time' : `${spellMs(ms)} apart`
}

const spellMs = (ms: number): string => (ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`)
