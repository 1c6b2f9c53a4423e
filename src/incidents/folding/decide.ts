// The decision on one alert: it opens an incident, joins one, or is ignored; always by a named rule and for a reason
// that a person can check. Pure: the same alert, incidents and topology always give the same answer.
import type { Edge } from '../../core/telemetry.ts'
import { neighboursOf } from './neighbours.ts'

export interface FoldableAlert {
  readonly name: string
  readonly service: string | null
  readonly severity: string
  readonly status: 'firing' | 'resolved'
  readonly fingerprint: string
  readonly groupKey: string | null
  /** Machines it names. */
  readonly places: readonly string[]
  /** When it began, as far as that can be believed (`believableStart`). */
  readonly atMs: number
}

/** An incident that still takes alerts. */
export interface OpenIncident {
  readonly id: string
  readonly number: number
  /** `alertKeys` of its alerts; only those that the alert at hand could match are needed. */
  readonly keys: ReadonlySet<string>
  /** The times of its first and its latest alert. */
  readonly firstAtMs: number
  readonly lastAtMs: number
}

export interface FoldingRules {
  /** Alerts this close together can belong to one incident. */
  readonly windowMs: number
  /** How far along the calls between services trouble is thought to travel. */
  readonly maxHops: number
}

export type Decision =
  | { readonly kind: 'opened'; readonly rule: 'new'; readonly reason: string }
  | {
      readonly kind: 'joined'
      readonly rule: 'fingerprint' | 'service' | 'dependency' | 'group' | 'place'
      readonly reason: string
      readonly incidentId: string
    }
  | { readonly kind: 'ignored'; readonly rule: 'ended' | 'watchdog' | 'severity'; readonly reason: string }

/** Alerts that always fire, to show that alerting works, or that only silence others. */
const WATCHDOGS = /^(?:watchdog|dead\s?man'?s?\s?(?:switch|snitch)|always\s?firing|info\s?inhibitor|heartbeat)$/i

export function decide(
  alert: FoldableAlert,
  open: readonly OpenIncident[],
  topology: readonly Edge[],
  rules: FoldingRules,
): Decision {
  if (alert.status === 'resolved')
    return { kind: 'ignored', rule: 'ended', reason: 'it had ended before it was folded' }
  if (WATCHDOGS.test(alert.name.replaceAll(/[_-]/g, ' ')))
    return { kind: 'ignored', rule: 'watchdog', reason: `${alert.name} fires to show that alerting works` }
  if (alert.severity === 'info')
    return { kind: 'ignored', rule: 'severity', reason: 'its severity says that nobody has to act' }

  const refired = nearest(alert, withKey(open, fingerprintKey(alert.fingerprint)))
  if (refired) return join('fingerprint', refired, `incident ${refired.number} has the same alert`)

  const near = open.filter((incident) => distanceMs(alert, incident) <= rules.windowMs)
  return (
    (alert.service === null
      ? joinWithoutService(alert, near)
      : joinByService(alert, alert.service, near, topology, rules)) ?? {
      kind: 'opened',
      rule: 'new',
      reason: `no open incident within ${spellMs(rules.windowMs)} is related`,
    }
  )
}

function joinByService(
  alert: FoldableAlert,
  service: string,
  near: readonly OpenIncident[],
  topology: readonly Edge[],
  rules: FoldingRules,
): Decision | undefined {
  const same = nearest(alert, withKey(near, serviceKey(service)))
  if (same) return join('service', same, `also ${service}, ${apart(alert, same)}`)
  const neighbours = neighboursOf(service, topology, rules.maxHops)
  // An incident one call away is preferred to one two calls away, whatever the time between.
  for (let hops = 1; hops <= rules.maxHops; hops++) {
    const reached = neighbours.filter((neighbour) => neighbour.hops === hops)
    const meets = (incident: OpenIncident) => reached.find((other) => incident.keys.has(serviceKey(other.service)))
    const related = nearest(
      alert,
      near.filter((incident) => meets(incident) !== undefined),
    )
    const through = related && meets(related)
    if (through) return join('dependency', related, `${through.relation}, ${apart(alert, related)}`)
  }
  return undefined
}

function joinWithoutService(alert: FoldableAlert, near: readonly OpenIncident[]): Decision | undefined {
  for (const place of alert.places) {
    const there = nearest(alert, withKey(near, placeKey(place)))
    if (there) return join('place', there, `also on ${place}, ${apart(alert, there)}`)
  }
  const grouped = alert.groupKey === null ? undefined : nearest(alert, withKey(near, groupKey(alert.groupKey)))
  return grouped && join('group', grouped, `the sender groups them together, ${apart(alert, grouped)}`)
}

const join = (rule: (Decision & { kind: 'joined' })['rule'], incident: OpenIncident, reason: string): Decision => ({
  kind: 'joined',
  rule,
  reason,
  incidentId: incident.id,
})

const withKey = (incidents: readonly OpenIncident[], key: string): readonly OpenIncident[] =>
  incidents.filter((incident) => incident.keys.has(key))

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

const fingerprintKey = (fingerprint: string): string => `fingerprint:${fingerprint}`
const serviceKey = (service: string): string => `service:${service}`
const groupKey = (key: string): string => `group:${key}`
const placeKey = (place: string): string => `place:${place}`

/** What an incident is remembered by once this alert belongs to it. */
export const alertKeys = (alert: FoldableAlert): readonly string[] => [
  fingerprintKey(alert.fingerprint),
  ...(alert.service === null ? [] : [serviceKey(alert.service)]),
  ...alert.places.map(placeKey),
  ...(alert.groupKey === null ? [] : [groupKey(alert.groupKey)]),
]

/** The keys by which this alert could join an incident: what has none of them need not be looked at. */
export const keysToJoin = (alert: FoldableAlert, topology: readonly Edge[], rules: FoldingRules): readonly string[] =>
  alert.service === null
    ? alertKeys(alert)
    : [
        fingerprintKey(alert.fingerprint),
        serviceKey(alert.service),
        ...neighboursOf(alert.service, topology, rules.maxHops).map(({ service }) => serviceKey(service)),
      ]

const apart = (alert: FoldableAlert, incident: OpenIncident): string => {
  const ms = distanceMs(alert, incident)
  return ms < 1000 ? 'at the same time' : `${spellMs(ms)} apart`
}

const spellMs = (ms: number): string => (ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`)
