// What becomes of proposals and of runs, in the audit log: each entry in the transaction that makes it so. Of the action it
// has what tells it from every other one, and nothing of its parameters.
import { appendAudit } from '../../../audit/log.ts'
import { proposedAction } from '../../report.ts'
import { planNews } from '../../telling/news.ts'
import type { ActionRunRow, ApprovalRow } from '../../tables.ts'
import type { InvestigationDb } from '../context.ts'
import { getIncident } from '../incident.ts'
import { hidePrivate } from '../model/hide.ts'

type AboutAction = Pick<ApprovalRow, 'id' | 'incident_id' | 'action'>

interface Decided {
  /** `agreed`: one of two people has approved it. */
  readonly state: Exclude<ApprovalRow['state'], 'pending'> | 'agreed'
  readonly at: number
  /** A person, the policy; the agent where nobody decided. */
  readonly by?: string | undefined
  readonly keyId?: string | null | undefined
  readonly reason?: string | null | undefined
  readonly undoIfWorse?: boolean | undefined
  /** The approval of what this one takes back. */
  readonly undoOf?: string | undefined
}

/**
 * `approval.decided` in the audit log, and news for people. Of an approval that somebody gave, `by` is who and `keyId` the
 * key it came with.
 */
export async function recordDecision(
  trx: InvestigationDb,
  about: AboutAction,
  { at, by = 'agent', reason, ...more }: Decided,
): Promise<void> {
  await append(trx, about, 'approval.decided', at, by, { ...more, reason: reason && hidePrivate(reason) })
  const details = { approvalId: about.id, state: more.state, by }
  await planNews(trx, about.incident_id, { kind: 'decided', at, details, once: `${about.id}:${more.state}` })
}

/** `action.run`: `intended` before anything leaves, and then what became of it. */
export async function auditRun(
  trx: InvestigationDb,
  about: AboutAction,
  { state, at, detail }: { readonly state: ActionRunRow['state']; readonly at: number; readonly detail?: string },
): Promise<void> {
  await append(trx, about, 'action.run', at, 'agent', { state, detail: detail && hidePrivate(detail) })
}

async function append(
  trx: InvestigationDb,
  { id, incident_id: subject, action }: AboutAction,
  kind: string,
  at: number,
  actor: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { tenant } = await getIncident(trx, subject)
  const { name, service, risk, fingerprint } = proposedAction.parse(JSON.parse(action))
  const told = { approval: id, action: name, service, risk, fingerprint, ...body }
  await appendAudit(trx, [{ tenant, at, actor, kind, subject, body: told }])
}
