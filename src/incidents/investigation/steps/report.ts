// The end of the story in one line of the timeline, whatever the end was.
import { addEvent } from '../../store.ts'
import { actionOf } from '../approvals.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { getIncident, hasEvent, reportOf } from '../incident.ts'
import { duration, SURE_ENOUGH } from '../sentence.ts'

export const report = ({ db, clock, feed }: InvestigationContext): Step =>
  async function sumUp({ incidentId, verdict }) {
    const now = clock.now()
    await db.transaction().execute(async (trx: InvestigationDb) => {
      if (await hasEvent(trx, incidentId, 'reported')) return
      const incident = await getIncident(trx, incidentId)
      const cause = reportOf(incident)?.causes[0]
      const named = cause
        ? `${cause.confidence < SURE_ENOUGH ? 'Most likely cause' : 'Cause'}: ${cause.kind.replaceAll('_', ' ')} at ${cause.service}.`
        : 'The cause was not found.'
      // What was approved was not always carried out: the runs know.
      const runs = await trx
        .selectFrom('approvals')
        .innerJoin('action_runs', 'action_runs.id', 'approvals.id')
        .select(['approvals.action', 'action_runs.state'])
        .where('approvals.incident_id', '=', incidentId)
        .where('approvals.state', '=', 'approved')
        .execute()
      const titles = (state: string) => runs.filter((run) => run.state === state).map((run) => actionOf(run).title)
      const done = titles('done')
      const uncertain = titles('uncertain')
      const acted = [
        ...(done.length > 0 ? [`Done: ${done.join('; ')}.`] : []),
        ...(uncertain.length > 0 ? [`Perhaps done: ${uncertain.join('; ')}.`] : []),
      ]
      if (acted.length === 0) acted.push('Nothing was done by Midwatch.')
      const result = {
        fixed: uncertain.length > 0 ? 'What showed the trouble is back to normal.' : 'It helped.',
        numbers_back: 'What showed the cause is back to normal, but alerts go on.',
        not_fixed: 'It did not help.',
        worse: 'It made things worse.',
      }
      const end =
        incident.closed_at === null
          ? 'The incident stays open until its alerts end.'
          : `It lasted ${duration(incident.closed_at - incident.opened_at)}.`
      const text = [named, ...acted, verdict ? result[verdict] : '', end].filter((part) => part !== '').join(' ')
      await addEvent(trx, incidentId, { at: now, kind: 'reported', text })
    })
    feed.publish(incidentId)
    return {}
  }
