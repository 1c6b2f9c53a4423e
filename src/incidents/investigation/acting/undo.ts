// What made things worse is taken back: by an action of its own, with its own approval and its own once-only run. It waits
// for a person like any other, unless who approved the action approved this too, or the policy does.
import type { ProposedAction } from '../../report.ts'
import { addEvent, type NewEvent } from '../../store.ts'
import type { ApprovalRow } from '../../tables.ts'
import { actionOf } from '../approvals.ts'
import type { InvestigationContext, InvestigationDb } from '../context.ts'
import { getIncident } from '../incident.ts'
import { weighRisk } from '../risk.ts'
import { whyRiskyHour } from './hours.ts'
import { propose } from './propose.ts'
import { NO_RECORD, readRecords } from './record.ts'
import { findEntry } from './request.ts'

export const undoIdOf = (approvalId: string): string => `${approvalId}_undo`

type UndoContext = Pick<InvestigationContext, 'clock' | 'config' | 'topology'>

/** Tells the event and proposes the undo in the same transaction. Returns its approval's id, or undefined where there is none. */
export async function proposeUndo(
  context: UndoContext,
  trx: InvestigationDb,
  approval: ApprovalRow,
  event: NewEvent,
): Promise<string | undefined> {
  const incident = await getIncident(trx, approval.incident_id)
  const action = await undoActionOf(context, trx, approval, incident.tenant)
  if (!action) return undefined
  await addEvent(trx, incident.id, event)
  const approvalId = undoIdOf(approval.id)
  const approvedBy =
    approval.undo_named === 1
      ? (approval.decided_by ?? undefined)
      : context.config.approval.policy.undoByItself
        ? 'the policy'
        : undefined
  const undo = { of: approval.id, approvedBy }
  const stands = await propose(context, trx, incident, { approvalId, action, once: approvalId, undo })
  return stands ? approvalId : undefined
}

/** The action that takes an approved one back, as it stands in it; undefined where only words say how. */
export async function undoActionOf(
  { clock, config, topology }: Pick<UndoContext, 'clock' | 'config' | 'topology'>,
  trx: InvestigationDb,
  approval: ApprovalRow,
  tenant: string,
): Promise<ProposedAction | undefined> {
  const { undoWith, title, service, touches } = actionOf(approval)
  const entry = undoWith && findEntry(config.actions, undoWith.name)
  if (!entry) return undefined
  const { name, does, parameters, title: undoTitle, fingerprint } = undoWith
  const { risk, reasons, callers } = weighRisk({
    base: entry.risk,
    service,
    topology: topology.edges(),
    confidence: null,
    hour: whyRiskyHour(config.approval, clock.now()),
    record: (await readRecords(trx, tenant)).get(name) ?? NO_RECORD,
  })
  return {
    name,
    does,
    service,
    parameters,
    title: undoTitle,
    expected: `It is again as it was before “${title}”.`,
    undo: `Do it again: ${title}`,
    touches,
    risk,
    riskReasons: [...reasons],
    ifNothing: 'It stays as the action left it.',
    callers: [...callers],
    fingerprint,
  }
}
