// A proposal waits for one person, or for two. Deciding it is one transaction: the rows, the incident's state, the timeline
// and the job that goes on, so that people who press at once, or a crash right after, cannot make it run twice or not at all.
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue } from '../../db/queue.ts'
import { proposedAction, type ProposedAction } from '../report.ts'
import { addEvent, moveIncident } from '../store.ts'
import type { ApprovalRow, IncidentState, IncidentTables } from '../tables.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'
import { recordDecision } from './acting/audit.ts'
import { overtakenBy } from './acting/grounds.ts'
import { peopleFor, personOf } from './acting/policy.ts'
import { findStop, sayStop } from './acting/stop.ts'
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
  /** Who, for the timeline: also how people are told apart. */
  readonly by: string
  /** The key it came with, where there was one. */
  readonly keyId?: string | undefined
  readonly reason?: string | undefined
  /** The second act that a high risk asks for. */
  readonly confirmed?: boolean | undefined
  /** To take it back without asking again if it makes things worse. Holds where everybody who approves says so. */
  readonly undoIfWorse?: boolean | undefined
}

type Decided =
  | { readonly kind: 'decided' }
  /** One person has agreed, and another has to. */
  | { readonly kind: 'half' }
  /** What it was proposed for is no longer so. The transaction stands: the approval is void or expired now. */
  | { readonly kind: 'lapsed'; readonly reason: string }

/**
 * Records what a person decided. Throws `not_found` for another tenant's, and `conflict` (saying who and why) when it is
 * decided, expired or overtaken by events, when acting is stopped, when it is asked of the person who wants it or of the
 * same person twice, or when its risk asks for a confirmation that is not given. Returns how many people are still needed.
 */
export async function decide(context: ApprovalContext, input: Decision): Promise<{ readonly needed: number }> {
  const outcome = await context.db.transaction().execute((trx) => decideWithin(context, trx, input))
  context.feed.publish(input.incidentId)
  context.wake()
  if (outcome.kind === 'lapsed') throw new AppError('conflict', outcome.reason)
  return { needed: outcome.kind === 'half' ? 1 : 0 }
}

async function decideWithin(context: ApprovalContext, trx: InvestigationDb, input: Decision): Promise<Decided> {
  const { incidentId, approvalId, decision, by, keyId } = input
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
    await recordDecision(trx, approval, { state: 'expired', at: now, reason })
    return { kind: 'lapsed', reason: `${reason} It was not carried out.` }
  }
  if (decision === 'refuse') {
    await close('refused', input.reason ?? null, by)
    await goOn('watching', 'refused', `${by} refused: ${action.title}.${input.reason ? ` ${input.reason}` : ''}`)
    await recordDecision(trx, approval, { state: 'refused', at: now, by, keyId, reason: input.reason })
    return { kind: 'decided' }
  }
  const overtaken = await overtakenBy(trx, approval, action, input.tenant)
  if (overtaken !== undefined) {
    await close('void', overtaken, null)
    await goOn('watching', 'void', `The proposal is void: ${overtaken}`)
    await recordDecision(trx, approval, { state: 'void', at: now, reason: overtaken })
    return { kind: 'lapsed', reason: `It was not carried out: ${overtaken}` }
  }
  const { confirmFromRisk } = context.config.approval
  if (approval.risk >= confirmFromRisk && input.confirmed !== true)
    throw new AppError(
      'conflict',
      `This has risk ${approval.risk} of 10. Look at it again and send "confirmed": true to approve it.`,
      { field: 'confirmed' },
    )
  const stop = await findStop(trx, input.tenant)
  if (stop) throw new AppError('conflict', `Nothing is carried out now: ${sayStop(stop)}. An admin can let it go on.`)
  if (input.undoIfWorse === true && action.undoWith === undefined)
    throw new AppError('conflict', 'Midwatch cannot take this back by itself; approve it without that.', {
      field: 'undoIfWorse',
    })
  const agreed = await agree(trx, approval, input, now)
  const vote = { at: now, by, keyId, reason: input.reason, undoIfWorse: input.undoIfWorse ?? false }
  // It is carried out in the name of all of them: whoever agrees without it takes it back for everybody.
  const undoNamed = input.undoIfWorse === true && (agreed.length === 1 || approval.undo_named === 1)
  await trx
    .updateTable('approvals')
    .set({ undo_named: undoNamed ? 1 : 0 })
    .where('id', '=', approvalId)
    .execute()
  // Never nobody: what the policy lets run by itself was never pending.
  const people = Math.max(1, approval.people ?? 1, peopleFor(approval.risk, context.config.approval))
  if (agreed.length < people) {
    const text = `${by} approved: ${action.title}. One more person has to.`
    await addEvent(trx, incidentId, { at: now, kind: 'approved', text, data: { of: people } })
    await recordDecision(trx, approval, { state: 'agreed', ...vote })
    return { kind: 'half' }
  }
  const all = agreed.join(' and ')
  await close('approved', input.reason ?? null, all)
  await goOn(
    'acting',
    'approved',
    `${all} approved: ${action.title}.${undoNamed ? ' It is taken back if it makes things worse.' : ''}`,
  )
  await recordDecision(trx, approval, { state: 'approved', ...vote })
  return { kind: 'decided' }
}

/** Adds a person's yes. Returns the names of all who agreed. Throws `conflict` where this person's does not count. */
async function agree(
  trx: InvestigationDb,
  approval: ApprovalRow,
  { by, keyId: key }: Decision,
  now: number,
): Promise<readonly string[]> {
  const keyId = key ?? null
  const person = personOf(by)
  const requester = approval.requested_by
  const isRequester =
    requester !== null && (personOf(requester) === person || (keyId !== null && keyId === approval.requested_key))
  if (isRequester) throw new AppError('conflict', `${requester} asked for this: somebody else has to approve it.`)
  const before = await trx
    .selectFrom('approval_votes')
    .selectAll()
    .where('approval_id', '=', approval.id)
    .orderBy('at')
    .execute()
  const same = before.find((vote) => vote.person === person || (keyId !== null && keyId === vote.key_id))
  if (same)
    throw new AppError(
      'conflict',
      `${same.by} has approved it at ${timeOfDay(same.at)}: another person has to approve it too.`,
    )
  await trx
    .insertInto('approval_votes')
    .values({ approval_id: approval.id, person, by, key_id: keyId, at: now })
    .execute()
  return [...before.map((vote) => vote.by), by]
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
    await recordDecision(trx, approval, { state: 'expired', at: now, reason })
    return approval.incident_id
  })
  if (incidentId === undefined) return
  context.feed.publish(incidentId)
  context.wake()
}
