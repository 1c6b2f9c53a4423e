// Whether there is still ground to carry an action out. What our own records say is read inside a transaction, at every
// decision and again where the action begins; what the world says is asked right before that. A reason means: no.
import type { ActionConfig } from '../../../config/action-schema.ts'
import { actionKey, type ProposedAction } from '../../report.ts'
import type { ApprovalRow } from '../../tables.ts'
import type { InvestigationContext, InvestigationDb } from '../context.ts'
import { countFiring, getIncident, reportOf } from '../incident.ts'
import type { Level } from '../leads.ts'
import { timeOfDay } from '../sentence.ts'
import { askPreconditions, sayUnmet } from './preconditions.ts'
import { readResting } from './record.ts'
import { findStop, sayStop } from './stop.ts'

/** What happened since it was proposed that takes its ground away, or undefined. Asks the database alone. */
export async function overtakenBy(
  trx: InvestigationDb,
  approval: Pick<ApprovalRow, 'incident_id' | 'requested_at' | 'undo_of'>,
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
  // The platform may report what the action itself changed; that is no reason to leave it as it is.
  if (newer && approval.undo_of === null)
    return `${newer.kind} ${newer.id} of ${action.service} came after the proposal was made.`
  if (action.cause === undefined) return undefined
  const causes = reportOf(await getIncident(trx, approval.incident_id))?.causes ?? []
  const { service, kind } = action.cause
  const stands = causes.some((cause) => cause.service === service && cause.kind === kind)
  return stands ? undefined : `${kind.replaceAll('_', ' ')} at ${service} is no longer held for the cause.`
}

/** Why an approved action must not begin now by what is on record, or undefined. For the transaction that lets it begin. */
export async function whyNotNow(
  trx: InvestigationDb,
  approval: ApprovalRow,
  action: ProposedAction,
  {
    tenant,
    catalogue,
    nowMs,
  }: { readonly tenant: string; readonly catalogue: readonly ActionConfig[]; readonly nowMs: number },
): Promise<string | undefined> {
  const stop = await findStop(trx, tenant)
  if (stop) return `${sayStop(stop)}.`
  if (approval.expires_at <= nowMs)
    return `it was approved for the time until ${timeOfDay(approval.expires_at)}, and that is over.`
  const until = (await readResting(trx, tenant, catalogue, nowMs, approval.id)).get(actionKey(action))
  if (until !== undefined) return `the same action was carried out meanwhile and rests until ${timeOfDay(until)}.`
  return await overtakenBy(trx, approval, action, tenant)
}

/** Why the world has no use for the action any more, or undefined: its preconditions, and the symptom itself. */
export async function whyNotInThisWorld(
  context: InvestigationContext,
  /** Where the numbers that show the trouble are now. */
  level: Level,
  approval: ApprovalRow,
  action: ProposedAction,
  entry: ActionConfig,
  signal: AbortSignal,
): Promise<string | undefined> {
  const unmet = sayUnmet(await askPreconditions(context, entry.preconditions, action.parameters, signal))
  if (unmet !== undefined) return `${unmet}.`
  // What a person asks for, and what takes something back, is not about these numbers.
  if (approval.requested_by !== null || approval.undo_of !== null) return undefined
  return level === 'back' ? 'the numbers that showed the trouble are back to normal already.' : undefined
}
