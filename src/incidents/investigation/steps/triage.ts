// Which alerts, who hurts, and which stretch of time is worth looking at.
import { alertTexts } from '../../memory/case.ts'
import { recall, toPast } from '../../memory/recall.ts'
import { signatureOf } from '../../memory/signature.ts'
import { moveIncident } from '../../store.ts'
import type { IncidentRow } from '../../tables.ts'
import { onceIn, planNews } from '../../telling/news.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { getIncident, openingOf } from '../incident.ts'
import { readScope } from '../scope.ts'
import { timeOfDay } from '../sentence.ts'

/** From the alerts alone, before anything is read: a first idea of where to look, and no more. */
async function sayAlike({ db }: InvestigationContext, incident: IncidentRow): Promise<string> {
  const signature = signatureOf({ alerts: await alertTexts(db, incident.id), causes: [] })
  const found = await recall(db, { incidentId: incident.id, tenant: incident.tenant, signature })
  const past = toPast(found, null, [], incident.opened_at)
  return past === undefined || past.sentence === '' ? '' : ` By its alerts: ${past.sentence}`
}

/** Leaves the window unset when there is nothing to investigate any more. */
export const triage = (context: InvestigationContext): Step =>
  async function triageIncident(state) {
    const { db, clock, config, feed } = context
    const { incidentId } = state
    const now = clock.now()
    const incident = await getIncident(db, incidentId)
    if (incident.state !== 'open' && incident.state !== 'investigating') return { round: 1 }
    const { alerts, window, symptoms } = await readScope(db, incident, now, config.diagnosis)
    const services = [...new Set(symptoms.map(({ service }) => service))]
    const where =
      services.length === 0 ? '' : ` at ${services.slice(0, 5).join(', ')}${services.length > 5 ? ' and others' : ''}`
    const count = alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`
    const looked = `Looking into ${count}${where}, back to ${timeOfDay(window.fromMs)}.`
    const text = `${looked}${await sayAlike(context, incident)}`
    // A second look has been told by what began it, and is not a move any more.
    await db.transaction().execute(async (trx: InvestigationDb) => {
      await moveIncident(trx, incidentId, 'investigating', {}, { at: now, kind: 'investigating', text })
      await planNews(trx, incidentId, { kind: 'opened', at: now, once: onceIn(await openingOf(trx, incidentId)) })
    })
    feed.publish(incidentId)
    return { round: 1, startedAtMs: now, window, symptoms, leads: [], approvalId: null, verdict: null }
  }
