// Keeps what this incident taught, as one event that later ones can be compared with: the cause that was
// named, what was done about it, and whether that confirmed it. Then it makes sure that the incident can end.
import { addEvent } from '../../store.ts'
import { actionOf } from '../approvals.ts'
import { settle } from '../closing.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { getIncident, hasEvent, reportOf } from '../incident.ts'

export const learn = (context: InvestigationContext): Step =>
  async function keepTheCase({ incidentId, look, verdict, symptoms }) {
    const { db, clock, desk } = context
    await db.transaction().execute(async (trx: InvestigationDb) => {
      if (await hasEvent(trx, incidentId, 'learned')) return
      const cause = reportOf(await getIncident(trx, incidentId))?.causes[0]
      const runs = await trx.selectFrom('approvals').selectAll().where('incident_id', '=', incidentId).execute()
      const done = await trx
        .selectFrom('action_runs')
        .select('id')
        .where('incident_id', '=', incidentId)
        .where('state', '=', 'done')
        .executeTakeFirst()
      const data = {
        symptoms: [...new Set(symptoms.map(({ service, name }) => `${service}: ${name}`))].slice(0, 20),
        cause: cause ? { service: cause.service, kind: cause.kind, confidence: cause.confidence } : null,
        actions: runs.map((run) => ({ name: actionOf(run).name, service: actionOf(run).service, decision: run.state })),
        verdict,
        // Only an action that was aimed at the cause, was carried out for certain and ended it confirms it.
        confirmed: cause !== undefined && verdict === 'fixed' && done !== undefined,
      }
      const text = data.confirmed ? 'Kept as a confirmed case.' : 'Kept as a case; the cause is not confirmed.'
      await addEvent(trx, incidentId, { at: clock.now(), kind: 'learned', text, data })
    })
    desk.clear({ incidentId, look })
    // Alerts may have ended while it was looked at, and nobody would come by again.
    await settle(context, incidentId)
    return {}
  }
