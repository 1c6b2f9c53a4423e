// Seventh step: carries the approved action out, at most once. The intention is committed before the request leaves;
// who finds it after a crash asks the other side what became of it, and without an answer never sends it again. What is
// under way may not be known there before it ends, so that it never arrived is believed only after the request's time.
import { interrupt } from '@langchain/langgraph'
import { addEvent, moveIncident } from '../../store.ts'
import type { ActionRunRow, ApprovalRow } from '../../tables.ts'
import type { ActionConfig } from '../../../config/schema.ts'
import { actionOf, getApproval } from '../approvals.ts'
import { checkUrlFor, findApproved, requestFor } from '../choose-action.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { enqueueNotification } from '../notify.ts'
import type { Wait } from '../waits.ts'

export const act = (context: InvestigationContext): Step =>
  async function carryOut(state, signal) {
    const { db, clock } = context
    if (state.approvalId === null) return { acted: false }
    const approval = await getApproval(db, state.approvalId)
    const known = await findRun(db, approval.id)
    const run = known ?? (await intend(context, approval))
    // From here on a crash leaves `intended` behind, which is what `known` stands for on the next run.
    if (run.state === 'intended') await close(context, approval, await perform(context, approval, known, signal))
    const closed = await findRun(db, approval.id)
    return {
      acted: closed?.state === 'done' || closed?.state === 'uncertain',
      actedAtMs: closed?.finished_at ?? clock.now(),
    }
  }

const findRun = (db: InvestigationDb, approvalId: string): Promise<ActionRunRow | undefined> =>
  db.selectFrom('action_runs').selectAll().where('id', '=', approvalId).executeTakeFirst()

async function intend({ db, clock, feed }: InvestigationContext, approval: ApprovalRow): Promise<ActionRunRow> {
  const { title } = actionOf(approval)
  const now = clock.now()
  const run: ActionRunRow = {
    id: approval.id,
    incident_id: approval.incident_id,
    action: approval.action,
    state: 'intended',
    started_at: now,
    finished_at: null,
    detail: null,
  }
  await db.transaction().execute(async (trx: InvestigationDb) => {
    await trx.insertInto('action_runs').values(run).execute()
    await addEvent(trx, approval.incident_id, { at: now, kind: 'acting', text: `Being carried out: ${title}.` })
  })
  feed.publish(approval.incident_id)
  return run
}

interface Performed {
  readonly state: 'done' | 'failed' | 'uncertain'
  readonly detail: string
}

async function perform(
  { config, actions, clock }: InvestigationContext,
  approval: ApprovalRow,
  /** The run that a crash left behind. */
  before: ActionRunRow | undefined,
  signal: AbortSignal,
): Promise<Performed> {
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
    const earlier = await whatBecameOf(actions, entry, parameters, request.key, request.headers, signal)
    if (earlier) return earlier
    const believedAtMs = before.started_at + request.timeoutMs
    if (clock.now() < believedAtMs) interrupt({ kind: 'look', atMs: believedAtMs } satisfies Wait)
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
      const later = await whatBecameOf(actions, entry, parameters, request.key, request.headers, signal)
      if (later) return { ...later, detail: `${answer.detail}; ${later.detail}` }
      // It is not there now, but what was sent may still be on its way.
      return { state: 'uncertain', detail: `${answer.detail}; it had not arrived when asked` }
    }
  }
}

/** undefined when the other side says that it never arrived. */
async function whatBecameOf(
  actions: InvestigationContext['actions'],
  entry: ActionConfig,
  parameters: Readonly<Record<string, string>>,
  key: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Performed | undefined> {
  const url = checkUrlFor(entry, parameters, key)
  if (url === undefined)
    return { state: 'uncertain', detail: 'it may have been carried out, and the catalogue names no way to check' }
  const found = await actions.check(url, headers, signal)
  switch (found.kind) {
    case 'done': {
      return { state: 'done', detail: 'the other side confirms it' }
    }
    case 'never': {
      return undefined
    }
    case 'unclear': {
      return { state: 'uncertain', detail: `it may have been carried out; ${found.detail}` }
    }
  }
}

async function close(
  context: InvestigationContext,
  approval: ApprovalRow,
  { state, detail }: Performed,
): Promise<void> {
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
    await enqueueNotification(context, trx, incidentId, 'acted', details, approval.id)
  })
  feed.publish(incidentId)
  wake()
}
