// Fourth step: tries to refute the diagnosis. Every claim is asked for again at its source, the order of events is
// checked, and only what stands is written into the report, told, and looked at again later.
import { readSignals } from '../../../diagnosis/service-signals.ts'
import { report as reportSchema, type Report } from '../../report.ts'
import { addEvent } from '../../store.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { hasEvent } from '../incident.ts'
import { findLeads } from '../leads.ts'
import { enqueueNotification, onceIn } from '../notify.ts'
import { recheck } from '../recheck.ts'
import { refute } from '../refute.ts'
import { planSecondLooks } from '../second-look.ts'
import type { InvestigationState } from '../state.ts'
import { callWitnesses } from '../witnesses.ts'
import { writeReport } from '../write-report.ts'

export const challenge = (context: InvestigationContext): Step =>
  async function challengeDiagnosis(state, signal) {
    const readings = await context.desk.readings(state, signal)
    const diagnosis = await context.desk.diagnosis(state, signal)
    const witnesses = await callWitnesses(context, state, readings, signal)
    const { causes, claimsRemoved } = await recheck(diagnosis.causes, witnesses)
    const victims = [...new Set([...diagnosis.path, ...state.symptoms.map(({ service }) => service)])]
    const challenged = refute(causes, readSignals(readings.series), victims, state.window)
    const [cause] = challenged.causes
    const report = await writeReport(context, { state, readings, diagnosis, challenged, claimsRemoved }, signal)
    await publish(context, state, report)
    const named = new Set(report.causes.map(({ service }) => service))
    const measured = [...new Set(readings.series.map(({ service }) => service))].filter((service) => named.has(service))
    return { leads: cause ? await findLeads(cause, witnesses) : [], measured }
  }

/** Stores and tells the report, once a look. */
async function publish(context: InvestigationContext, state: InvestigationState, report: Report): Promise<void> {
  const { db, clock, feed, observeDuration, wake } = context
  const { incidentId, look } = state
  const now = clock.now()
  const first = await db.transaction().execute(async (trx: InvestigationDb) => {
    if (await hasEvent(trx, incidentId, 'diagnosed')) return false
    await trx
      .updateTable('incidents')
      .set({ report: JSON.stringify(reportSchema.parse(report)), sentence: report.sentence })
      .where('id', '=', incidentId)
      .execute()
    const [cause] = report.causes
    const sure = cause ? ` Confidence ${cause.confidence.toFixed(2)}.` : ''
    const data = cause
      ? { service: cause.service, kind: cause.kind, confidence: cause.confidence }
      : { abstained: true }
    await addEvent(trx, incidentId, { at: now, kind: 'diagnosed', text: `${report.sentence}${sure}`, data })
    await enqueueNotification(context, trx, incidentId, 'diagnosed', { cause: cause ? data : null }, onceIn(look))
    await planSecondLooks(trx, incidentId, look, now)
    return true
  })
  if (!first) return
  observeDuration((now - state.startedAtMs) / 1000)
  feed.publish(incidentId)
  wake()
}
