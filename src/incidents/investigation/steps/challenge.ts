// Tries to refute the diagnosis. Every claim is asked for again at its source, the order of events is
// checked, and only what stands is written into the report, told, and looked at again later.
import type { Cause } from '../../../diagnosis/evidence.ts'
import { alertTexts } from '../../memory/case.ts'
import { nudge } from '../../memory/nudge.ts'
import { recall, resolvePast, toPast } from '../../memory/recall.ts'
import { sayNudges } from '../../memory/say-past.ts'
import { signatureOf } from '../../memory/signature.ts'
import { report as reportSchema, type Report } from '../../report.ts'
import { addEvent } from '../../store.ts'
import type { IncidentRow } from '../../tables.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { keepEvidence } from '../evidence.ts'
import { hasEvent } from '../incident.ts'
import { deliberate } from '../inquiry/deliberate.ts'
import { signalsIn } from '../inquiry/metric-tools.ts'
import { readNotes } from '../inquiry/notebook.ts'
import { findLeads } from '../leads.ts'
import { planToClassify } from '../../routing/plan.ts'
import { onceIn, planNews } from '../../telling/news.ts'
import { recheck } from '../recheck.ts'
import { refute } from '../refute.ts'
import { planSecondLooks } from '../second-look.ts'
import { SURE_ENOUGH } from '../sentence.ts'
import type { InvestigationState } from '../state.ts'
import { writeReport } from '../write-report.ts'

export const challenge = (context: InvestigationContext): Step =>
  async function challengeDiagnosis(state, signal) {
    const readings = await context.desk.readings(state, signal)
    const diagnosis = await context.desk.diagnosis(state, signal)
    const inquiry = await context.desk.inquiry(state, signal)
    const { incident, asker, services } = inquiry
    const witnesses = await inquiry.witnesses(signal)
    const rechecked = await recheck(diagnosis.causes, witnesses)
    const { causes: nudged, found, nudges } = await weighPast(context, incident, rechecked.causes)
    const notes = await readNotes(context.db, state)
    const weighed = await deliberate(context, incident.tenant, nudged, notes, witnesses, signal)
    const { causes, deliberation } = weighed
    const victims = [...new Set([...diagnosis.path, ...state.symptoms.map(({ service }) => service)])]
    const challenged = refute(causes, signalsIn(readings), victims, state.window)
    const [cause] = challenged.causes
    const leading = diagnosis.abstained ? undefined : cause
    const told = toPast(found, leading ?? null, nudges, incident.opened_at)
    const { past, removed } = await resolvePast(context.db, incident.tenant, told, incident.opened_at)
    const consulted = {
      runbooks: notes.flatMap(({ runbooks }) => runbooks ?? []),
      blind: notes.flatMap(({ blind }) => blind),
    }
    const claimsRemoved = rechecked.claimsRemoved + removed
    const findings = { state, readings, diagnosis, challenged, claimsRemoved, past, consulted, deliberation }
    const report = await writeReport({ ...context, asker, services }, findings, signal)
    await publish(context, state, report)
    await keepEvidence(context, state, incident.tenant, inquiry.alerts, readings, report)
    const named = new Set(report.causes.map(({ service }) => service))
    const measured = [...new Set(readings.series.map(({ service }) => service))].filter((service) => named.has(service))
    return { leads: cause ? await findLeads(cause, witnesses) : [], measured }
  }

/** What looked the same before, and the ranking with what was confirmed of it: a nudge, bounded and told. */
async function weighPast({ db }: InvestigationContext, incident: IncidentRow, causes: readonly Cause[]) {
  const { id, tenant } = incident
  const signature = signatureOf({ alerts: await alertTexts(db, id), causes })
  const found = await recall(db, { incidentId: id, tenant, signature })
  return { found, ...nudge(causes, found, SURE_ENOUGH) }
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
    const moved = report.past ? sayNudges(report.past) : []
    const nudged = moved.length === 0 ? '' : ` Moved by earlier incidents: ${moved.join('; ')}.`
    await addEvent(trx, incidentId, { at: now, kind: 'diagnosed', text: `${report.sentence}${sure}${nudged}`, data })
    const details = { cause: cause ? data : null }
    await planNews(trx, incidentId, { kind: 'diagnosed', at: now, details, once: onceIn(look) })
    await planSecondLooks(trx, incidentId, look, now)
    await planToClassify(trx, incidentId, `diagnosed ${look}`, now)
    return true
  })
  if (!first) return
  observeDuration((now - state.startedAtMs) / 1000)
  feed.publish(incidentId)
  wake()
}
