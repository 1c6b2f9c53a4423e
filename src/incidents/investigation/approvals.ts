// A proposal waits for a person. Deciding it is one transaction: the row, the incident's state, the timeline and the job
// that goes on, so that two people who press at once, or a crash right after, cannot make it run twice or not at all.
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue } from '../../db/queue.ts'
import { proposedAction, type ProposedAction } from '../report.ts'
import { addEvent, moveIncident } from '../store.ts'
import type { ApprovalRow, IncidentState, IncidentTables } from '../tables.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'
import { countFiring } from './incident.ts'
import { timeOfDay } from './sentence.ts'
import type { InvestigationState } from './state.ts'

type ApprovalContext = Pick<InvestigationContext, 'db' | 'clock' | 'feed' | 'config' | 'wake'>

/** One proposal a round of a look, so its id needs no memory of its own to be found again after a crash. */
export const approvalIdOf = ({ incidentId, look, round }: InvestigationState): string =>
  `apr_${incidentId.slice(incidentId.indexOf('_') + 1)}_${look}${round}`

/** Throws `not_found`. */
export async function getApproval(db: Db<IncidentTables>, id: string): Promise<ApprovalRow> {
  const row = await db.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new AppError('not_found', `There is no approval ${id}.`)
  return row
}

export const actionOf = (approval: Pick<ApprovalRow, 'action'>): ProposedAction =>
  proposedAction.parse(JSON.parse(approval.action))

export interface Decision {
  readonly incidentId: string
  readonly approvalId: string
  readonly tenant: string
  readonly decision: 'approve' | 'refuse'
  /** Who, for the timeline. */
  readonly by: string
  readonly reason?: string | undefined
  /** The second act that a high risk asks for. */
  readonly confirmed?: boolean | undefined
}

type Decided =
  | { readonly kind: 'decided' }
  /** What it was proposed for is no longer so. The transaction stands: the approval is void or expired now. */
  | { readonly kind: 'lapsed'; readonly reason: string }

/**
 * Records what a person decided. Throws `not_found` for another tenant's, and `conflict` (saying who and why) when it is
 * decided, expired or overtaken by events, or when its risk asks for a confirmation that is not given.
 */
export async function decide(context: ApprovalContext, input: Decision): Promise<void> {
  const outcome = await context.db.transaction().execute((trx) => decideWithin(context, trx, input))
  context.feed.publish(input.incidentId)
  context.wake()
  if (outcome.kind === 'lapsed') throw new AppError('conflict', outcome.reason)
}

async function decideWithin(context: ApprovalContext, trx: InvestigationDb, input: Decision): Promise<Decided> {
  const { incidentId, approvalId, decision, by } = input
  const now = context.clock.now()
  const approval = await trx
    .selectFrom('approvals')
    .innerJoin('incidents', 'incidents.id', 'approvals.incident_id')
    .selectAll('approvals')
    .where('approvals.id', '=', approvalId)
    .where('approvals.incident_id', '=', incidentId)
    .where('incidents.tenant', '=', input.tenant)
    .executeTakeFirst()
  if (!approval) throw new AppError('not_found', 'There is no such approval in this incident.')
  if (approval.state !== 'pending') throw new AppError('conflict', alreadyDecided(approval))
  const action = actionOf(approval)
  const close = (state: ApprovalRow['state'], reason: string | null, decidedBy: string | null): Promise<unknown> =>
    trx
      .updateTable('approvals')
      .set({ state, reason, decided_by: decidedBy, decided_at: now })
      .where('id', '=', approvalId)
      .where('state', '=', 'pending')
      .execute()
  const goOn = async (to: IncidentState, kind: string, text: string): Promise<void> => {
    const { moved } = await moveIncident(trx, incidentId, to, {}, { at: now, kind, text })
    if (!moved) throw new AppError('conflict', 'The incident has moved on. Load it again.')
    await enqueue(trx, { kind: 'resume', key: approvalId, payload: { incidentId }, runAtMs: now })
  }
  if (approval.expires_at <= now) {
    const reason = `The proposal expired at ${timeOfDay(approval.expires_at)}.`
    await close('expired', reason, null)
    await goOn('watching', 'expired', reason)
    return { kind: 'lapsed', reason: `${reason} It was not carried out.` }
  }
  if (decision === 'refuse') {
    await close('refused', input.reason ?? null, by)
    await goOn('watching', 'refused', `${by} refused: ${action.title}.${input.reason ? ` ${input.reason}` : ''}`)
    return { kind: 'decided' }
  }
  const overtaken = await overtakenBy(trx, approval, action, input.tenant)
  if (overtaken !== undefined) {
    await close('void', overtaken, null)
    await goOn('watching', 'void', `The proposal is void: ${overtaken}`)
    return { kind: 'lapsed', reason: `It was not carried out: ${overtaken}` }
  }
  const { confirmFromRisk } = context.config.approval
  if (approval.risk >= confirmFromRisk && input.confirmed !== true)
    throw new AppError(
      'conflict',
      `This has risk ${approval.risk} of 10. Look at it again and send "confirmed": true to approve it.`,
      { field: 'confirmed' },
    )
  await close('approved', input.reason ?? null, by)
  await goOn('acting', 'approved', `${by} approved: ${action.title}.`)
  return { kind: 'decided' }
}

function alreadyDecided({ state, decided_by, decided_at, reason }: ApprovalRow): string {
  const when = decided_at === null ? '' : ` at ${timeOfDay(decided_at)}`
  switch (state) {
    case 'approved':
    case 'refused': {
      return `${decided_by ?? 'Someone'} has already ${state} it${when}.`
    }
    case 'expired':
    case 'void':
    case 'pending': {
      return `The proposal is ${state}${when}. ${reason ?? ''}`.trim()
    }
  }
}

/** What happened since it was proposed that takes its ground away, or undefined. */
async function overtakenBy(
  trx: InvestigationDb,
  approval: ApprovalRow,
  action: ProposedAction,
  tenant: string,
): Promise<string | undefined> {
  if ((await countFiring(trx, approval.incident_id)) === 0) return 'all alerts have ended meanwhile.'
  const newer = await trx
    .selectFrom('changes')
    .select(['id', 'kind'])
    .where('tenant', '=', tenant)
    .where('service', '=', action.service)
    .where('kind', 'in', ['deploy', 'config', 'flag'])
    .where('received_at', '>', approval.requested_at)
    .orderBy('received_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return newer && `${newer.kind} ${newer.id} of ${action.service} came after the proposal was made.`
}

/** Ends a proposal that nobody decided in time. Does nothing when it is decided or has time left. */
export async function expire(context: ApprovalContext, approvalId: string): Promise<void> {
  const now = context.clock.now()
  const incidentId = await context.db.transaction().execute(async (trx: InvestigationDb) => {
    const approval = await getApproval(trx, approvalId)
    if (approval.state !== 'pending' || approval.expires_at > now) return undefined
    const reason = `Nobody decided until ${timeOfDay(approval.expires_at)}.`
    await trx
      .updateTable('approvals')
      .set({ state: 'expired', decided_at: now, reason })
      .where('id', '=', approvalId)
      .execute()
    const text = `The proposal expired: ${actionOf(approval).title}. ${reason}`
    const event = { at: now, kind: 'expired', text }
    const moved = await moveIncident(trx, approval.incident_id, 'watching', {}, event)
    if (!moved.moved) await addEvent(trx, approval.incident_id, event)
    await enqueue(trx, { kind: 'resume', key: approvalId, payload: { incidentId: approval.incident_id }, runAtMs: now })
    return approval.incident_id
  })
  if (incidentId === undefined) return
  context.feed.publish(incidentId)
  context.wake()
}
