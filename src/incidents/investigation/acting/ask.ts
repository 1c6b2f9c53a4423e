// A person asks for an action of the catalogue, or for an earlier one to be taken back. It becomes a proposal like any other:
// with its risk, its preconditions and its approval, which whoever asks cannot give.
import { AppError } from '../../../core/errors.ts'
import { newId } from '../../../core/ids.ts'
import { enqueue } from '../../../db/queue.ts'
import { actionKey, type ProposedAction } from '../../report.ts'
import { moveIncident } from '../../store.ts'
import type { IncidentRow } from '../../tables.ts'
import { getApproval } from '../approvals.ts'
import type { InvestigationContext, InvestigationDb } from '../context.ts'
import { getIncident, reportOf } from '../incident.ts'
import { knownServicesOf } from '../known-services.ts'
import { timeOfDay } from '../sentence.ts'
import { fillAction } from './fill-action.ts'
import { whyRiskyHour } from './hours.ts'
import { askPreconditions, sayUnmet } from './preconditions.ts'
import { propose } from './propose.ts'
import { readRecords, readResting } from './record.ts'
import { findEntry } from './request.ts'
import { undoActionOf } from './undo.ts'
import { voidPending } from './void-pending.ts'

export interface Asked {
  readonly incidentId: string
  readonly tenant: string
  readonly by: string
  readonly keyId: string | null
  readonly what:
    | {
        readonly kind: 'action'
        readonly name: string
        readonly service?: string | undefined
        readonly parameters: Readonly<Record<string, string>>
      }
    | { readonly kind: 'undo'; readonly approvalId: string }
}

/** A change this long before the incident can be what a person wants to take back. */
const CHANGES_WITHIN_MS = 24 * 3_600_000

/** Returns the approval's id. Throws `not_found`, and `conflict` with the reason where it cannot be proposed now. */
export async function askForAction(context: InvestigationContext, asked: Asked, signal: AbortSignal): Promise<string> {
  const { db, clock, config, feed, wake } = context
  const incident = await getIncident(db, asked.incidentId)
  if (incident.tenant !== asked.tenant) throw new AppError('not_found', 'There is no such incident.')
  const action = await actionFor(context, incident, asked, signal)
  const entry = findEntry(config.actions, action.name)
  const unmet = sayUnmet(await askPreconditions(context, entry?.preconditions ?? [], action.parameters, signal))
  if (unmet !== undefined) throw new AppError('conflict', `It is not proposed: ${unmet}.`)
  const now = clock.now()
  const approvalId = newId('apr', now)
  await db.transaction().execute(async (trx: InvestigationDb) => {
    const { state } = await getIncident(trx, incident.id)
    if (state !== 'watching' && state !== 'awaiting_approval')
      throw new AppError(
        'conflict',
        state === 'closed'
          ? 'The incident is closed.'
          : `The incident is ${state.replaceAll('_', ' ')} now. Try again once that is over.`,
      )
    const until = (await readResting(trx, incident.tenant, config.actions, now)).get(actionKey(action))
    if (until !== undefined)
      throw new AppError('conflict', `It was carried out a moment ago and rests until ${timeOfDay(until)}.`)
    if (state === 'awaiting_approval') await replacePending(trx, incident.id, asked.by, now)
    const undo = asked.what.kind === 'undo' ? { of: asked.what.approvalId, approvedBy: undefined } : undefined
    const requestedBy = { name: asked.by, keyId: asked.keyId }
    const stands = await propose(context, trx, incident, { approvalId, action, once: approvalId, requestedBy, undo })
    if (!stands) throw new AppError('conflict', 'The incident has moved on. Load it again.')
    const payload = { incidentId: incident.id, approvalId }
    await enqueue(trx, { kind: 'requested', key: approvalId, payload, runAtMs: now })
  })
  feed.publish(incident.id)
  wake()
  return approvalId
}

/** One proposal at a time is waited for: what a person asks for takes its place. */
async function replacePending(trx: InvestigationDb, incidentId: string, by: string, now: number): Promise<void> {
  const reason = `${by} asks for another action.`
  const event = { at: now, kind: 'void', text: `The proposal is void: ${reason}` }
  await moveIncident(trx, incidentId, 'watching', {}, event)
  await voidPending(trx, incidentId, reason, now)
}

async function actionFor(
  context: InvestigationContext,
  incident: IncidentRow,
  { what }: Asked,
  signal: AbortSignal,
): Promise<ProposedAction> {
  signal.throwIfAborted()
  if (what.kind === 'undo') return await undoFor(context, incident, what.approvalId)
  const { db, clock, config, topology, changes } = context
  const entry = config.actions.find(({ name }) => name === what.name)
  if (!entry) {
    const names = config.actions.map(({ name }) => name).join(', ')
    throw new AppError('not_found', `No action is called ${what.name}; there is ${names === '' ? 'none' : names}.`)
  }
  const report = reportOf(incident)
  const service = what.service ?? report?.causes[0]?.service ?? incident.service ?? ''
  const edges = topology.edges()
  const known = knownServicesOf(config, edges, [])
  if (!known.has(service) || !(entry.services.includes('*') || entry.services.includes(service)))
    throw new AppError('conflict', `${entry.name} is not for ${service === '' ? 'no service: name one' : service}.`, {
      field: 'service',
    })
  const now = clock.now()
  const window = { tenant: incident.tenant, fromMs: incident.opened_at - CHANGES_WITHIN_MS, toMs: now }
  const filled = fillAction(entry, {
    catalogue: config.actions,
    service,
    kind: '',
    confidence: null,
    effect: report?.effect ?? '',
    incidentNumber: incident.number,
    change: (await changes(window))
      .filter((change) => change.service === service && ['deploy', 'config', 'flag'].includes(change.kind))
      .toSorted((a, b) => b.at - a.at)[0],
    topology: edges,
    hour: whyRiskyHour(config.approval, now),
    records: await readRecords(db, incident.tenant),
    given: what.parameters,
  })
  if (filled.kind === 'none') throw new AppError('conflict', `It cannot be proposed: ${filled.reason}.`)
  return filled.action
}

async function undoFor(
  context: InvestigationContext,
  incident: IncidentRow,
  approvalId: string,
): Promise<ProposedAction> {
  const { db } = context
  const approval = await getApproval(db, approvalId)
  if (approval.incident_id !== incident.id)
    throw new AppError('not_found', `There is no approval ${approvalId} in this incident.`)
  const run = await db.selectFrom('action_runs').select('state').where('id', '=', approvalId).executeTakeFirst()
  if (run?.state !== 'done' && run?.state !== 'uncertain')
    throw new AppError('conflict', 'It was not carried out: there is nothing to take back.')
  const taken = await db
    .selectFrom('approvals')
    .innerJoin('action_runs', 'action_runs.id', 'approvals.id')
    .select('approvals.id')
    .where('approvals.undo_of', '=', approvalId)
    .where('action_runs.state', '!=', 'failed')
    .executeTakeFirst()
  if (taken) throw new AppError('conflict', 'It was taken back already.')
  const action = await undoActionOf(context, db, approval, incident.tenant)
  if (!action) throw new AppError('conflict', 'The catalogue says only in words how to take it back.')
  return action
}
