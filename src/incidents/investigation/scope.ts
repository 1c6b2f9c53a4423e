// Which alerts an investigation is about, and which stretch of time is worth looking at.
import { believableStart } from '../alert-times.ts'
import type { AgentConfig } from '../../config/schema.ts'
import type { AlertRow, IncidentRow } from '../tables.ts'
import type { Symptom, Window } from './state.ts'

/** An alert can have begun days ago; further back than this nothing is read. */
const LONGEST_WINDOW_MS = 24 * 3_600_000
/** More points than this a series would be slow to read and no clearer. */
const MOST_POINTS = 2000
const MOST_SYMPTOMS = 100

export interface Scope {
  readonly window: Window
  readonly symptoms: readonly Symptom[]
}

/** What fires now; everything there was, when nothing does any more. */
export function scopeOf(
  incident: Pick<IncidentRow, 'opened_at'>,
  alerts: readonly AlertRow[],
  nowMs: number,
  config: AgentConfig['diagnosis'],
): Scope {
  const firing = alerts.filter(({ status }) => status === 'firing')
  const asked = firing.length > 0 ? firing : alerts
  const symptoms = asked.flatMap(({ service, name, starts_at }) =>
    service === null ? [] : [{ service, name, startsAtMs: starts_at }],
  )
  const began = asked.map(({ starts_at, first_at }) => believableStart(starts_at, first_at))
  const first = Math.min(nowMs, ...(began.length > 0 ? began : [incident.opened_at]))
  return { window: windowOf(first, nowMs, config), symptoms: symptoms.slice(0, MOST_SYMPTOMS) }
}

function windowOf(firstAlertMs: number, nowMs: number, config: AgentConfig['diagnosis']): Window {
  const alertAtMs = Math.max(firstAlertMs, nowMs - LONGEST_WINDOW_MS / 2)
  const fromMs = Math.max(alertAtMs - config.baselineSeconds * 1000, nowMs - LONGEST_WINDOW_MS)
  const stepMs = Math.max(config.stepSeconds * 1000, Math.ceil((nowMs - fromMs) / MOST_POINTS / 1000) * 1000)
  return { alertAtMs, fromMs, toMs: nowMs, stepMs }
}
