// What an incident is routed by: the labels that its alerts share, and what Midwatch made out of it.
import type { AgentConfig } from '../../config/schema.ts'
import type { Db } from '../../db/connect.ts'
import type { Edge, Labels } from '../../core/telemetry.ts'
import { alertsOf, reportOf } from '../investigation/incident.ts'
import { SURE_ENOUGH } from '../investigation/sentence.ts'
import { worseOf } from '../severity.ts'
import type { AlertRow, IncidentRow, IncidentTables } from '../tables.ts'
import { HAS_ALERTS, type HurtService } from './severity-of-impact.ts'
import { type Kinded, symptomKindOf } from './symptom-kind.ts'

export interface Facts {
  /** The worst severity that an alert says; the incident's where there is none. */
  readonly label: string
  readonly kind: Kinded
  readonly owner: Owner
  /** What routes match on, without the severity. */
  readonly labels: Labels
  /** Services with alerts, the first hurt first. */
  readonly services: readonly string[]
}

export interface Owner {
  readonly owner: string | null
  readonly reason: string
}

/** What fires now; everything there was, when nothing does any more. */
export async function readFacts(
  db: Db<IncidentTables>,
  incident: IncidentRow,
  catalogue: AgentConfig['services'],
): Promise<Facts> {
  const all = await alertsOf(db, incident.id)
  const firing = all.filter(({ status }) => status === 'firing')
  const alerts = firing.length > 0 ? firing : all
  const labels = sharedLabels(alerts)
  const kind = symptomKindOf(alerts.map((row) => ({ name: row.name, summary: summaryOf(row) })))
  const owner = ownerOf(incident.service, labels, catalogue)
  const [first] = reportOf(incident)?.causes ?? []
  // A guess sends nobody out of bed.
  const cause = first && first.confidence >= SURE_ENOUGH ? first : undefined
  const causeOwner = cause && ownerOf(cause.service, {}, catalogue).owner
  return {
    label: alerts.map(({ severity }) => severity).reduce(worseOf, alerts[0]?.severity ?? incident.severity),
    kind,
    owner,
    services: [...new Set(alerts.flatMap(({ service }) => service ?? []))],
    // Ours win: a label of that name that an alert happens to have is not what a route means.
    labels: {
      ...labels,
      service: incident.service ?? '',
      owner: owner.owner ?? '',
      kind: kind.kind,
      cause: cause?.kind ?? '',
      cause_service: cause?.service ?? '',
      cause_owner: causeOwner ?? '',
    },
  }
}

function sharedLabels(alerts: readonly AlertRow[]): Labels {
  const [first, ...others] = alerts.map(({ labels }) => JSON.parse(labels) as Labels)
  if (!first) return {}
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) =>
      others.every((labels) => Object.hasOwn(labels, name) && labels[name] === value),
    ),
  )
}

function summaryOf({ annotations }: AlertRow): string {
  const said = JSON.parse(annotations) as Labels
  return `${said['summary'] ?? ''} ${said['description'] ?? ''}`
}

const OWNER_LABELS = ['team', 'owner', 'squad'] as const

function ownerOf(service: string | null, labels: Labels, catalogue: AgentConfig['services']): Owner {
  const entry = service !== null && Object.hasOwn(catalogue, service) ? catalogue[service] : undefined
  if (entry?.owner !== undefined)
    return { owner: entry.owner, reason: `the service catalogue gives ${service} to ${entry.owner}` }
  const label = OWNER_LABELS.find((name) => Object.hasOwn(labels, name) && labels[name] !== '')
  const said = label === undefined ? undefined : labels[label]
  if (label !== undefined && said !== undefined)
    return { owner: said.slice(0, 200), reason: `the label ${label} of its alerts` }
  return {
    owner: null,
    reason: service === null ? 'its alerts name no service' : `the service catalogue has no owner of ${service}`,
  }
}

const MOST_HURT = 10
const MOST_HOPS = 3

/** The services that have alerts, and those with objectives that call one of them, directly or through others. */
export function hurtServices(
  services: readonly string[],
  catalogue: AgentConfig['services'],
  topology: readonly Edge[],
): readonly Omit<HurtService, 'objectives'>[] {
  const entryOf = (service: string) => (Object.hasOwn(catalogue, service) ? catalogue[service] : undefined)
  const found = new Map<string, string>(services.slice(0, MOST_HURT).map((service) => [service, HAS_ALERTS]))
  const seen = new Set(found.keys())
  let edge = [...found.keys()]
  for (let hop = 0; hop < MOST_HOPS && edge.length > 0; hop++) {
    const callers: string[] = []
    for (const { caller, callee } of topology) {
      if (!edge.includes(callee) || seen.has(caller)) continue
      seen.add(caller)
      callers.push(caller)
      if ((entryOf(caller)?.objectives ?? []).length > 0 && found.size < MOST_HURT * 2)
        found.set(caller, `it calls ${callee}`)
    }
    edge = callers
  }
  return [...found].map(([service, because]) => ({ service, because, users: entryOf(service)?.users ?? null }))
}
