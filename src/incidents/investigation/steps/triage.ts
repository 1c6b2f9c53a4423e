// First step: which alerts, who hurts, and which stretch of time is worth looking at.
import { getIncident, alertsOf } from '../incident.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { moveIncident } from '../../store.ts'
import type { Symptom, Window } from '../state.ts'
import { timeOfDay } from '../sentence.ts'

/** An alert can have begun days ago; further back than this nothing is read. */
const LONGEST_WINDOW_MS = 24 * 3_600_000
/** More points than this a series would be slow to read and no clearer. */
const MOST_POINTS = 2000
const MOST_SYMPTOMS = 100

/** Leaves the window unset when there is nothing to investigate any more. */
export const triage = (context: InvestigationContext): Step =>
  async function triageIncident(state) {
    const { db, clock, config, feed } = context
    const { incidentId } = state
    const now = clock.now()
    const incident = await getIncident(db, incidentId)
    if (incident.state !== 'open' && incident.state !== 'investigating') return { round: 1 }
    const alerts = await alertsOf(db, incidentId)
    const symptoms: Symptom[] = alerts
      .flatMap(({ service, name, starts_at }) => (service === null ? [] : [{ service, name, startsAtMs: starts_at }]))
      .slice(0, MOST_SYMPTOMS)
    const window = windowOf(
      Math.min(now, ...alerts.map(({ starts_at }) => starts_at), incident.opened_at),
      now,
      config.diagnosis,
    )
    const services = [...new Set(symptoms.map(({ service }) => service))]
    const where =
      services.length === 0 ? '' : ` at ${services.slice(0, 5).join(', ')}${services.length > 5 ? ' and others' : ''}`
    const count = alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`
    const text = `Looking into ${count}${where}, back to ${timeOfDay(window.fromMs)}.`
    await db
      .transaction()
      .execute((trx: InvestigationDb) =>
        moveIncident(trx, incidentId, 'investigating', {}, { at: now, kind: 'investigating', text }),
      )
    feed.publish(incidentId)
    return { round: 1, startedAtMs: now, window, symptoms, leads: [], approvalId: null }
  }

function windowOf(firstAlertMs: number, now: number, config: { baselineSeconds: number; stepSeconds: number }): Window {
  const alertAtMs = Math.max(firstAlertMs, now - LONGEST_WINDOW_MS / 2)
  const fromMs = Math.max(alertAtMs - config.baselineSeconds * 1000, now - LONGEST_WINDOW_MS)
  const stepMs = Math.max(config.stepSeconds * 1000, Math.ceil((now - fromMs) / MOST_POINTS / 1000) * 1000)
  return { alertAtMs, fromMs, toMs: now, stepMs }
}
