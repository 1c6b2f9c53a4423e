// Fourth step: tries to refute the diagnosis. Every claim is asked for again at its source, the order of events is
// checked, and only what stands is written into the report, told, and looked at again later.
import type { MetricQuery, MetricSource } from '../../../core/telemetry.ts'
import { readSignals, type Signal } from '../../../diagnosis/service-signals.ts'
import { report as reportSchema, type Report } from '../../report.ts'
import { addEvent } from '../../store.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { getIncident } from '../incident.ts'
import { findLeads } from '../leads.ts'
import { enqueueNotification } from '../notify.ts'
import { askAll, type Readings } from '../read.ts'
import { findLine, recheck, type Witnesses } from '../recheck.ts'
import { refute } from '../refute.ts'
import type { InvestigationState } from '../state.ts'
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
    return { leads: cause ? await findLeads(cause, witnesses) : [] }
  }

/** The sources, asked anew. Changes are read again; each group of queries is asked once however many claims need it. */
async function callWitnesses(
  context: InvestigationContext,
  state: InvestigationState,
  readings: Readings,
  signal: AbortSignal,
): Promise<Witnesses> {
  const { db, sources, changes, log } = context
  const { tenant } = await getIncident(db, state.incidentId)
  const { fromMs, toMs, stepMs } = state.window
  const answers = new Map<string, Promise<readonly Signal[]>>()
  const ask = async (source: MetricSource, queries: readonly MetricQuery[]): Promise<readonly Signal[]> => {
    try {
      return readSignals(await askAll(source, queries, { fromMs, toMs, stepMs }, signal))
    } catch (error) {
      signal.throwIfAborted()
      log.warn({ err: error, source: source.name }, 'a claim could not be asked for again')
      return []
    }
  }
  return {
    signals: (source, queries) => {
      const key = JSON.stringify([source.name, queries])
      const answer = answers.get(key) ?? ask(source, queries)
      answers.set(key, answer)
      return answer
    },
    line: (ref) => findLine(sources.logs, ref, signal),
    asked: readings.asked,
    changes: await changes({ tenant, fromMs, toMs }).catch(() => []),
    topology: readings.topology,
  }
}

/** Stores and tells the report once. */
async function publish(context: InvestigationContext, state: InvestigationState, report: Report): Promise<void> {
  const { db, clock, feed, observeDuration, wake } = context
  const { incidentId } = state
  const now = clock.now()
  const first = await db.transaction().execute(async (trx: InvestigationDb) => {
    const stored = await trx
      .updateTable('incidents')
      .set({ report: JSON.stringify(reportSchema.parse(report)), sentence: report.sentence, updated_at: now })
      .where('id', '=', incidentId)
      .where('report', 'is', null)
      .executeTakeFirst()
    if (stored.numUpdatedRows === 0n) return false
    const [cause] = report.causes
    const sure = cause ? ` Confidence ${cause.confidence.toFixed(2)}.` : ''
    const data = cause
      ? { service: cause.service, kind: cause.kind, confidence: cause.confidence }
      : { abstained: true }
    await addEvent(trx, incidentId, { at: now, kind: 'diagnosed', text: `${report.sentence}${sure}`, data })
    await enqueueNotification(context, trx, incidentId, 'diagnosed', { cause: cause ? data : null })
    return true
  })
  if (!first) return
  observeDuration((now - state.startedAtMs) / 1000)
  feed.publish(incidentId)
  wake()
}
