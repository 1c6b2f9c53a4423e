// Puts a proposal on record, in the transaction of whatever made it necessary: the row that people decide on, the state of
// the incident, the timeline, the hour at which it lapses, and the message. Where the policy needs nobody it is approved
// in the same moment, by the policy, and says so.
import { enqueue } from '../../../db/queue.ts'
import type { ProposedAction } from '../../report.ts'
import { moveIncident } from '../../store.ts'
import type { ApprovalRow, IncidentRow } from '../../tables.ts'
import type { InvestigationContext, InvestigationDb } from '../context.ts'
import { planNews } from '../../telling/news.ts'
import { duration } from '../sentence.ts'
import { recordDecision } from './audit.ts'
import { type People, peopleFor } from './policy.ts'
import { findStop } from './stop.ts'

export interface Proposal {
  readonly approvalId: string
  readonly action: ProposedAction
  /** For the notification, where an incident has several. */
  readonly once: string
  /** The person who asks for it. */
  readonly requestedBy?: { readonly name: string; readonly keyId: string | null } | undefined
  /** What it takes back, and whether that was approved already. */
  readonly undo?: { readonly of: string; readonly approvedBy: string | undefined } | undefined
}

type ProposingContext = Pick<InvestigationContext, 'clock' | 'config'>

/** Returns whether a proposal stands: this one, or the same one from before a crash. */
export async function propose(
  context: ProposingContext,
  trx: InvestigationDb,
  incident: IncidentRow,
  { approvalId, action, once, requestedBy, undo }: Proposal,
): Promise<boolean> {
  const { clock, config } = context
  const now = clock.now()
  const known = await trx.selectFrom('approvals').select('id').where('id', '=', approvalId).executeTakeFirst()
  if (known) return true
  const stopped = (await findStop(trx, incident.tenant)) !== undefined
  const approvedBy = undo?.approvedBy ?? (peopleFor(action.risk, config.approval) === 0 ? 'the policy' : undefined)
  // While acting is stopped nothing is approved by itself: it waits for a person, who will see that it is stopped.
  const byItself = stopped ? undefined : approvedBy
  const people: People = byItself === undefined ? peopleFor(action.risk, config.approval) || 1 : 0
  const expiresAt = now + config.approval.expiresSeconds * 1000
  const waits =
    people === 0
      ? `${approvedBy === 'the policy' ? 'The policy asks nobody' : `${approvedBy} approved this beforehand`}.`
      : `It waits for approval for ${duration(expiresAt - now)}${people === 2 ? '; two people have to approve it' : ''}.`
  const asks = requestedBy ? `${requestedBy.name} asks for this` : undo ? 'To take it back' : 'Proposed'
  const text = `${asks}: ${action.title}. Risk ${action.risk} of 10. ${waits}`
  const event = { at: now, kind: 'proposed', text, data: { approvalId } }
  const { moved } = await moveIncident(trx, incident.id, 'awaiting_approval', {}, event)
  if (!moved) return false
  const row: ApprovalRow = {
    id: approvalId,
    incident_id: incident.id,
    action: JSON.stringify(action),
    risk: action.risk,
    state: people === 0 ? 'approved' : 'pending',
    requested_at: now,
    expires_at: expiresAt,
    decided_at: people === 0 ? now : null,
    decided_by: people === 0 ? (approvedBy ?? null) : null,
    reason: null,
    people,
    requested_by: requestedBy?.name ?? null,
    requested_key: requestedBy?.keyId ?? null,
    undo_of: undo?.of ?? null,
    undo_named: null,
  }
  await trx.insertInto('approvals').values(row).execute()
  const { name, title, service, risk, expected, undo: undoText } = action
  const details = { approvalId, action: { name, title, service, risk, expected, undo: undoText }, expiresAt }
  await planNews(trx, incident.id, { kind: 'proposed', at: now, details, once })
  if (people === 0) {
    const approved = { at: now, kind: 'approved', text: `Approved by ${approvedBy}: ${action.title}.` }
    await moveIncident(trx, incident.id, 'acting', {}, approved)
    await recordDecision(trx, row, { state: 'approved', at: now, by: approvedBy, undoOf: undo?.of })
    return true
  }
  await enqueue(trx, { kind: 'expire', key: approvalId, payload: { approvalId }, runAtMs: expiresAt })
  return true
}
