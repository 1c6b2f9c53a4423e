// Carries the approved action out, at most once. What it presumes is asked again first; the intention is
// committed before anything leaves, in a transaction that finds acting neither stopped nor overtaken. Who finds an intention
// after a crash asks the other side what became of it, and without an answer never sends it again. What is under way may
// not be known there before it ends, so that it never arrived is believed only after the request's time.
import { interrupt } from '@langchain/langgraph'
import type { ActionConfig } from '../../../config/action-schema.ts'
import type { ProposedAction } from '../../report.ts'
import { addEvent, moveIncident } from '../../store.ts'
import type { ActionRunRow, ApprovalRow } from '../../tables.ts'
import { recordDecision, auditRun } from '../acting/audit.ts'
import { whyNotInThisWorld, whyNotNow } from '../acting/grounds.ts'
import { planToReconcile } from '../acting/reconcile.ts'
import { findApproved, requestFor } from '../acting/request.ts'
import { type Became, whatBecameOf } from '../acting/what-became.ts'
import { actionOf, getApproval } from '../approvals.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { countFiring, getIncident } from '../incident.ts'
import { type Level, lookAtLeads } from '../leads.ts'
import { planNews } from '../../telling/news.ts'
import type { InvestigationState } from '../state.ts'
import type { Wait } from '../waits.ts'

export const act = (context: InvestigationContext): Step =>
  async function carryOut(state, signal) {
    const { db, clock, sources } = context
    if (state.approvalId === null) return { acted: false }
    const approval = await getApproval(db, state.approvalId)
    const known = await findRun(db, approval.id)
    const then = known ? undefined : await lookAtLeads(state.leads ?? [], sources.metrics, stepOf(state), clock, signal)
    const run = known ?? (await begin(context, approval, then?.level ?? 'unknown', signal))
    if (run === undefined) return { acted: false }
    // From here on a crash leaves `intended` behind, which is what `known` stands for on the next run.
    if (run.state === 'intended') await close(context, approval, await perform(context, state, approval, known, signal))
    const closed = await findRun(db, approval.id)
    return {
      acted: closed?.state === 'done' || closed?.state === 'uncertain',
      actedAtMs: closed?.finished_at ?? clock.now(),
      awayAtAct: then?.away ?? [],
      firingAtAct: await countFiring(db, approval.incident_id),
      worseLooks: 0,
    }
  }

const stepOf = ({ window }: InvestigationState): number => window?.stepMs ?? 15_000

const findRun = (db: InvestigationDb, approvalId: string): Promise<ActionRunRow | undefined> =>
  db.selectFrom('action_runs').selectAll().where('id', '=', approvalId).executeTakeFirst()

/** Commits the intention, or ends the approval as void and says why. */
async function begin(
  context: InvestigationContext,
  approval: ApprovalRow,
  level: Level,
  signal: AbortSignal,
): Promise<ActionRunRow | undefined> {
  const { db, clock, feed, config } = context
  const action = actionOf(approval)
  const found = findApproved(config.actions, action)
  // One that differs is told as a run that failed: what was approved cannot be carried out any more.
  const unwanted =
    found.kind === 'same' ? await whyNotInThisWorld(context, level, approval, action, found.entry, signal) : undefined
  const now = clock.now()
  const run: ActionRunRow = {
    id: approval.id,
    incident_id: approval.incident_id,
    action: approval.action,
    state: 'intended',
    started_at: now,
    finished_at: null,
    detail: null,
    verdict: null,
  }
  const begun = await db.transaction().execute(async (trx: InvestigationDb) => {
    const { state: decided } = await getApproval(trx, approval.id)
    if (decided !== 'approved') return false
    const { tenant } = await getIncident(trx, approval.incident_id)
    const reason =
      unwanted ?? (await whyNotNow(trx, approval, action, { tenant, catalogue: config.actions, nowMs: now }))
    if (reason !== undefined) {
      await makeVoid(trx, approval, action, reason, now)
      return false
    }
    await trx.insertInto('action_runs').values(run).execute()
    await addEvent(trx, approval.incident_id, { at: now, kind: 'acting', text: `Being carried out: ${action.title}.` })
    await auditRun(trx, run, { state: 'intended', at: now })
    return true
  })
  feed.publish(approval.incident_id)
  return begun ? run : undefined
}

async function makeVoid(
  trx: InvestigationDb,
  approval: ApprovalRow,
  { title }: ProposedAction,
  reason: string,
  now: number,
): Promise<void> {
  const { id, incident_id } = approval
  await trx.updateTable('approvals').set({ state: 'void', reason }).where('id', '=', id).execute()
  const event = { at: now, kind: 'void', text: `Not carried out: ${title}. The approval is void: ${reason}` }
  const { moved } = await moveIncident(trx, incident_id, 'watching', {}, event)
  if (!moved) await addEvent(trx, incident_id, event)
  await recordDecision(trx, approval, { state: 'void', at: now, reason })
}

async function perform(
  context: InvestigationContext,
  state: InvestigationState,
  approval: ApprovalRow,
  /** The run that a crash left behind. */
  before: ActionRunRow | undefined,
  signal: AbortSignal,
): Promise<Became> {
  const { config, actions, clock } = context
  const approved = actionOf(approval)
  const { name, parameters } = approved
  const found = findApproved(config.actions, approved)
  if (found.kind === 'differs') {
    const detail = `${name} ${found.reason}`
    return before
      ? { state: 'uncertain', detail: `${detail}, and it may have been sent before` }
      : { state: 'failed', detail }
  }
  const { entry } = found
  const request = requestFor(entry, parameters, approval.id)
  if (before) {
    const earlier = await whatBecameOf(actions, entry, parameters, request.key, signal)
    if (earlier) return earlier
    const believedAtMs = before.started_at + request.timeoutMs
    if (clock.now() < believedAtMs) interrupt({ kind: 'look', atMs: believedAtMs } satisfies Wait)
    const reason = await whyNotAfterAll(context, state, approval, approved, entry, signal)
    if (reason !== undefined)
      return { state: 'failed', detail: `it had not left when Midwatch ended, and was not sent then: ${reason}` }
  }
  // A stop lets the request finish rather than cut it: its own timeout bounds it, and a cut one would be uncertain.
  const answer = await actions.send(request, new AbortController().signal)
  switch (answer.kind) {
    case 'done': {
      return { state: 'done', detail: answer.detail }
    }
    case 'refused': {
      return { state: 'failed', detail: `it was refused: ${answer.detail}` }
    }
    case 'unsent': {
      return { state: 'failed', detail: `it could not be sent: ${answer.detail}` }
    }
    case 'unclear': {
      const later = await whatBecameOf(actions, entry, parameters, request.key, signal)
      if (later) return { ...later, detail: `${answer.detail}; ${later.detail}` }
      // It is not there now, but what was sent may still be on its way.
      return { state: 'uncertain', detail: `${answer.detail}; it had not arrived when asked` }
    }
  }
}

/** Everything that is asked before an action begins, asked once more for one that a crash kept from leaving. */
async function whyNotAfterAll(
  context: InvestigationContext,
  state: InvestigationState,
  approval: ApprovalRow,
  action: ProposedAction,
  entry: ActionConfig,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { db, config, clock, sources } = context
  const { level } = await lookAtLeads(state.leads ?? [], sources.metrics, stepOf(state), clock, signal)
  const unwanted = await whyNotInThisWorld(context, level, approval, action, entry, signal)
  if (unwanted !== undefined) return unwanted
  const { tenant } = await getIncident(db, approval.incident_id)
  return await db
    .transaction()
    .execute((trx: InvestigationDb) =>
      whyNotNow(trx, approval, action, { tenant, catalogue: config.actions, nowMs: clock.now() }),
    )
}

async function close(context: InvestigationContext, approval: ApprovalRow, { state, detail }: Became): Promise<void> {
  const { db, clock, feed, wake } = context
  const now = clock.now()
  const { title } = actionOf(approval)
  const incidentId = approval.incident_id
  const text = {
    done: `Carried out: ${title}.`,
    failed: `Not carried out: ${title}. ${detail}.`,
    uncertain: `It is not certain whether this was carried out: ${title} (${detail}). It will not be sent again by itself.`,
  }[state]
  await db.transaction().execute(async (trx: InvestigationDb) => {
    const closed = await trx
      .updateTable('action_runs')
      .set({ state, finished_at: now, detail })
      .where('id', '=', approval.id)
      .where('state', '=', 'intended')
      .executeTakeFirst()
    if (closed.numUpdatedRows === 0n) return
    const event = { at: now, kind: 'acted', text, data: { state } }
    await moveIncident(trx, incidentId, state === 'failed' ? 'watching' : 'verifying', {}, event)
    const details = { approvalId: approval.id, result: state, detail }
    await planNews(trx, incidentId, { kind: 'acted', at: now, details, once: approval.id })
    if (state === 'uncertain') await planToReconcile(trx, approval.id, now)
    await auditRun(trx, approval, { state, at: now, detail })
  })
  feed.publish(incidentId)
  wake()
}
