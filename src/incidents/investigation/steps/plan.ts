// Fifth step: what to do about it. One proposal out of the catalogue that waits for a person, or the reason why there
// is none. After an action that did not help the next cause gets one more.
import type { Cause } from '../../../diagnosis/evidence.ts'
import { enqueue } from '../../../db/queue.ts'
import type { ProposedAction, Report } from '../../report.ts'
import { addEvent, moveIncident } from '../../store.ts'
import type { IncidentRow } from '../../tables.ts'
import { actionOf, approvalIdOf } from '../approvals.ts'
import { chooseAction, type Choice } from '../choose-action.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { countFiring, getIncident, hasEvent, reportOf } from '../incident.ts'
import { enqueueNotification, onceIn } from '../notify.ts'
import { duration, SURE_ENOUGH } from '../sentence.ts'
import type { InvestigationState } from '../state.ts'

export const plan = (context: InvestigationContext): Step =>
  async function planAction(state) {
    const { db } = context
    const incident = await getIncident(db, state.incidentId)
    const report = reportOf(incident)
    if (!report) throw new Error('there is no report to plan from')
    const choice = await choose(context, state, incident, report)
    const approvalId = approvalIdOf(state)
    const proposed =
      choice.kind === 'proposed'
        ? await propose(context, incident, approvalId, state, choice.action)
        : await watch(context, incident, report, choice.reason)
    context.feed.publish(state.incidentId)
    context.wake()
    if (!proposed) return { approvalId: null, acted: false, lookAtMs: null }
    return { approvalId, acted: false, lookAtMs: null, verdict: null }
  }

async function choose(
  { db, config, changes, topology }: InvestigationContext,
  state: InvestigationState,
  incident: IncidentRow,
  report: Report,
): Promise<Choice> {
  const none = (reason: string): Choice => ({ kind: 'none', reason })
  if (report.abstained) return none('the cause is not known')
  if ((await countFiring(db, incident.id)) === 0) return none('all alerts have ended meanwhile')
  const cause = causeOf(report, state.round)
  if (!cause) return none('there is no other cause likely enough')
  if (cause.confidence < SURE_ENOUGH)
    return none(`the cause is not sure enough (confidence ${cause.confidence.toFixed(2)}, needed ${SURE_ENOUGH})`)
  const earlier = await db.selectFrom('approvals').selectAll().where('incident_id', '=', incident.id).execute()
  const edges = topology.edges()
  return chooseAction({
    catalogue: config.actions,
    cause,
    effect: report.effect,
    incidentNumber: incident.number,
    alertAtMs: state.window.alertAtMs,
    changes: await changes({ tenant: incident.tenant, fromMs: state.window.fromMs, toMs: state.window.toMs }),
    topology: edges,
    // Never from the report: it may have the name out of a log line, which a stranger may have written.
    knownServices: new Set([
      ...Object.entries(config.services).flatMap(([name, { dependsOn }]) => [name, ...dependsOn]),
      ...config.actions.flatMap(({ services }) => services.filter((name) => name !== '*')),
      ...edges.flatMap(({ caller, callee }) => [caller, callee]),
      ...(state.measured ?? []),
    ]),
    tried: earlier
      .filter(({ id, state: decision }) => id !== approvalIdOf(state) && decision !== 'void')
      .map(actionOf)
      .map(({ name, service }) => `${name} ${service}`),
  })
}

/** The first cause; in the second round the next one, as sure as it is once the first did not hold. */
function causeOf(report: Report, round: number): Cause | undefined {
  const [first, second] = report.causes
  if (round === 1 || !first) return first
  return second && { ...second, confidence: Math.min(1, second.confidence / Math.max(0.05, 1 - first.confidence)) }
}

/** Returns whether a proposal stands: this one, or the same one from before a crash. */
async function propose(
  context: InvestigationContext,
  incident: IncidentRow,
  approvalId: string,
  { look, round }: InvestigationState,
  action: ProposedAction,
): Promise<boolean> {
  const { db, clock, config } = context
  const now = clock.now()
  return await db.transaction().execute(async (trx: InvestigationDb) => {
    const known = await trx.selectFrom('approvals').select('id').where('id', '=', approvalId).executeTakeFirst()
    if (known) return true
    const expiresAt = now + config.approval.expiresSeconds * 1000
    const text = `Proposed: ${action.title}. Risk ${action.risk} of 10. It waits for approval for ${duration(expiresAt - now)}.`
    const event = { at: now, kind: 'proposed', text, data: { approvalId } }
    const { moved } = await moveIncident(trx, incident.id, 'awaiting_approval', {}, event)
    if (!moved) return false
    await trx
      .insertInto('approvals')
      .values({
        id: approvalId,
        incident_id: incident.id,
        action: JSON.stringify(action),
        risk: action.risk,
        state: 'pending',
        requested_at: now,
        expires_at: expiresAt,
        decided_at: null,
        decided_by: null,
        reason: null,
      })
      .execute()
    await enqueue(trx, { kind: 'expire', key: approvalId, payload: { approvalId }, runAtMs: expiresAt })
    const { name, title, service, risk, expected, undo } = action
    const details = { approvalId, action: { name, title, service, risk, expected, undo }, expiresAt }
    await enqueueNotification(
      context,
      trx,
      incident.id,
      'proposed',
      details,
      look === 1 ? onceIn(round) : `${look}.${round}`,
    )
    return true
  })
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
