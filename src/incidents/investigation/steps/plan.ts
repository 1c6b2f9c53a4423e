// What to do about it. One proposal out of the catalogue that waits for a person, or the reason why there
// is none. After an action that did not help the next cause gets one more.
import type { Cause } from '../../../diagnosis/evidence.ts'
import { actionKey, type Report } from '../../report.ts'
import { addEvent, moveIncident } from '../../store.ts'
import type { IncidentRow } from '../../tables.ts'
import type { Filled } from '../acting/fill-action.ts'
import { whyRiskyHour } from '../acting/hours.ts'
import { askPreconditions, sayUnmet } from '../acting/preconditions.ts'
import { propose } from '../acting/propose.ts'
import { readRecords, readResting } from '../acting/record.ts'
import { actionOf, approvalIdOf } from '../approvals.ts'
import { chooseAction } from '../choose-action.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { countFiring, getIncident, hasEvent, reportOf } from '../incident.ts'
import { knownServicesOf } from '../known-services.ts'
import { onceIn } from '../../telling/news.ts'
import { SURE_ENOUGH } from '../sentence.ts'
import type { InvestigationState } from '../state.ts'

export const plan = (context: InvestigationContext): Step =>
  async function planAction(state, signal) {
    const { db } = context
    const incident = await getIncident(db, state.incidentId)
    const report = reportOf(incident)
    if (!report) throw new Error('there is no report to plan from')
    const choice = await choose(context, state, incident, report, signal)
    const approvalId = approvalIdOf(state)
    const { look, round } = state
    const once = look === 1 ? onceIn(round) : `${look}.${round}`
    const proposed =
      choice.kind === 'proposed'
        ? await context.db
            .transaction()
            .execute((trx: InvestigationDb) =>
              propose(context, trx, incident, { approvalId, action: choice.action, once }),
            )
        : await watch(context, incident, report, choice.reason)
    context.feed.publish(state.incidentId)
    context.wake()
    if (!proposed) return { approvalId: null, acted: false, lookAtMs: null }
    return { approvalId, acted: false, lookAtMs: null, verdict: null }
  }

async function choose(
  context: InvestigationContext,
  state: InvestigationState,
  incident: IncidentRow,
  report: Report,
  signal: AbortSignal,
): Promise<Filled> {
  const { db, config, changes, topology, clock } = context
  const none = (reason: string): Filled => ({ kind: 'none', reason })
  if (report.abstained) return none('the cause is not known')
  if ((await countFiring(db, incident.id)) === 0) return none('all alerts have ended meanwhile')
  const cause = causeOf(report, state.round)
  if (!cause) return none('there is no other cause likely enough')
  if (cause.confidence < SURE_ENOUGH)
    return none(`the cause is not sure enough (confidence ${cause.confidence.toFixed(2)}, needed ${SURE_ENOUGH})`)
  const earlier = await db.selectFrom('approvals').selectAll().where('incident_id', '=', incident.id).execute()
  const now = clock.now()
  const input = {
    catalogue: config.actions,
    cause,
    effect: report.effect,
    incidentNumber: incident.number,
    alertAtMs: state.window.alertAtMs,
    changes: await changes({ tenant: incident.tenant, fromMs: state.window.fromMs, toMs: state.window.toMs }),
    topology: topology.edges(),
    hour: whyRiskyHour(config.approval, now),
    records: await readRecords(db, incident.tenant),
    resting: await readResting(db, incident.tenant, config.actions, now),
    knownServices: knownServicesOf(config, topology.edges(), state.measured ?? []),
    tried: earlier
      .filter(({ id, state: decision }) => id !== approvalIdOf(state) && decision !== 'void')
      .map(actionOf)
      .map(actionKey),
  }
  return await chooseAction(input, async ({ preconditions }, { parameters }) =>
    sayUnmet(await askPreconditions(context, preconditions, parameters, signal)),
  )
}

/** The first cause; in the second round the next one, as sure as it is once the first did not hold. */
function causeOf(report: Report, round: number): Cause | undefined {
  const [first, second] = report.causes
  if (round === 1 || !first) return first
  return second && { ...second, confidence: Math.min(1, second.confidence / Math.max(0.05, 1 - first.confidence)) }
}

async function watch(
  { db, clock }: InvestigationContext,
  incident: IncidentRow,
  report: Report,
  reason: string,
): Promise<false> {
  const next = report.missing.slice(0, 2).join(' ')
  const text = `No action is proposed: ${reason}.${next === '' ? '' : ` To look at next: ${next}`}`
  const event = { at: clock.now(), kind: 'watching', text }
  await db.transaction().execute(async (trx: InvestigationDb) => {
    const { moved } = await moveIncident(trx, incident.id, 'watching', {}, event)
    // After an action that did not help it watches already, and the reason is still worth a line.
    const { state } = await getIncident(trx, incident.id)
    if (!moved && state === 'watching' && !(await hasEvent(trx, incident.id, event.kind, text)))
      await addEvent(trx, incident.id, event)
  })
  return false
}
