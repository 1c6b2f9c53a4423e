// Which alerts an investigation is about, and which stretch of time is worth looking at.
import { believableStart } from '../alert-times.ts'
import type { AgentConfig } from '../../config/schema.ts'
import type { Db } from '../../db/connect.ts'
import type { AlertRow, IncidentRow, IncidentTables } from '../tables.ts'
import { alertsOf } from './incident.ts'
import type { Symptom, Window } from './state.ts'

/** An alert can have begun days ago; further back than this nothing is read. */
const LONGEST_WINDOW_MS = 24 * 3_600_000
/** More points than this a series would be slow to read and no clearer. */
const MOST_POINTS = 2000
const MOST_SYMPTOMS = 100

/** Fewer steps of calm than this are no picture of what is normal. */
const LEAST_CALM_STEPS = 20

export interface Scope {
  readonly alerts: readonly AlertRow[]
  readonly window: Window
  readonly symptoms: readonly Symptom[]
}

/** What fires now; everything there was, when nothing does any more. */
export async function readScope(
  db: Db<IncidentTables>,
  incident: Pick<IncidentRow, 'id' | 'tenant' | 'opened_at'>,
  nowMs: number,
  config: AgentConfig['diagnosis'],
): Promise<Scope> {
  const alerts = await alertsOf(db, incident.id)
  const firing = alerts.filter(({ status }) => status === 'firing')
  const asked = firing.length > 0 ? firing : alerts
  const symptoms = asked.flatMap(({ service, name, starts_at }) =>
    service === null ? [] : [{ service, name, startsAtMs: starts_at }],
  )
  const began = asked.map(({ starts_at, first_at }) => believableStart(starts_at, first_at))
  const first = Math.min(nowMs, ...(began.length > 0 ? began : [incident.opened_at]))
  const window = windowOf(first, nowMs, config)
  const calmMs = await calmSince(db, incident.tenant, [...new Set(symptoms.map(({ service }) => service))], first)
  // The trouble before this one is no picture of what is normal, and its cause is not this one's.
  const calmEnough = calmMs !== null && window.alertAtMs - calmMs >= LEAST_CALM_STEPS * window.stepMs
  const fromMs = calmEnough ? Math.max(window.fromMs, calmMs) : window.fromMs
  return { alerts, window: { ...window, fromMs }, symptoms: symptoms.slice(0, MOST_SYMPTOMS) }
}

/** When the latest earlier incident that hurt one of these services was closed. */
async function calmSince(
  db: Db<IncidentTables>,
  tenant: string,
  services: readonly string[],
  beforeMs: number,
): Promise<number | null> {
  if (services.length === 0) return null
  const { closed } = await db
    .selectFrom('incidents')
    .innerJoin('alerts', 'alerts.incident_id', 'incidents.id')
    .select((eb) => eb.fn.max('incidents.closed_at').as('closed'))
    .where('incidents.tenant', '=', tenant)
    .where('incidents.closed_at', '<', beforeMs)
    .where('incidents.closed_at', '>', beforeMs - LONGEST_WINDOW_MS)
    .where('alerts.service', 'in', services.slice(0, MOST_SYMPTOMS))
    .executeTakeFirstOrThrow()
  return closed
}

function windowOf(firstAlertMs: number, nowMs: number, config: AgentConfig['diagnosis']): Window {
  const alertAtMs = Math.max(firstAlertMs, nowMs - LONGEST_WINDOW_MS / 2)
  const fromMs = Math.max(alertAtMs - config.baselineSeconds * 1000, nowMs - LONGEST_WINDOW_MS)
  const stepMs = Math.max(config.stepSeconds * 1000, Math.ceil((nowMs - fromMs) / MOST_POINTS / 1000) * 1000)
  return { alertAtMs, fromMs, toMs: nowMs, stepMs }
}
