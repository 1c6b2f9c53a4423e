// What would happen if a proposal were approved now, without its happening: the request or command word for word (secrets
// hidden), whether what it presumes is so, what stands in its way, and the answer of the catalogue's own trial, if it has one.
import type { ActionRequest } from '../../../actions/actions.ts'
import { AppError } from '../../../core/errors.ts'
import type { DryRunView } from '../../view.ts'
import { actionOf, getApproval } from '../approvals.ts'
import type { InvestigationContext, InvestigationDb } from '../context.ts'
import { getIncident } from '../incident.ts'
import { whyNotNow } from './grounds.ts'
import { askPreconditions, sayUnmet } from './preconditions.ts'
import { dryRunFor, findApproved, requestFor } from './request.ts'

export interface DryRunRequest {
  readonly incidentId: string
  readonly approvalId: string
  readonly tenant: string
}

/** Throws `not_found` for another tenant's, and `conflict` when the catalogue would send something else by now. */
export async function dryRun(
  context: InvestigationContext,
  { incidentId, approvalId, tenant }: DryRunRequest,
  signal: AbortSignal,
): Promise<DryRunView> {
  const { db, config, actions, clock } = context
  const approval = await getApproval(db, approvalId)
  const incident = await getIncident(db, incidentId)
  if (incident.tenant !== tenant || approval.incident_id !== incidentId)
    throw new AppError('not_found', 'There is no such approval in this incident.')
  const action = actionOf(approval)
  const found = findApproved(config.actions, action)
  if (found.kind === 'differs') throw new AppError('conflict', `${action.name} ${found.reason}.`)
  const { entry } = found
  const preconditions = await askPreconditions(context, entry.preconditions, action.parameters, signal)
  const unmet = sayUnmet(preconditions)
  const nowMs = clock.now()
  const inTheWay =
    unmet ??
    (await db
      .transaction()
      .execute((trx: InvestigationDb) =>
        whyNotNow(trx, approval, action, { tenant, catalogue: config.actions, nowMs }),
      ))
  // A key of its own: the platform must not take it for the run.
  const trial = dryRunFor(entry, action.parameters, `${approvalId}_dry_${nowMs}`)
  return {
    would: show(requestFor(entry, action.parameters, approvalId)),
    preconditions: [...preconditions],
    inTheWay: inTheWay ?? null,
    trial: trial ? await actions.send(trial, signal) : null,
  }
}

/** Header values may be secrets, whoever wrote them; of a body those whose name says so. */
function show(request: ActionRequest): DryRunView['would'] {
  if (request.kind === 'command') return { kind: 'command', argv: [...request.argv], env: [...request.env] }
  const { method, url, headers, body } = request
  return {
    kind: 'http',
    method,
    url,
    headers: Object.fromEntries(Object.keys(headers).map((name) => [name, '***'])),
    body: Object.fromEntries(Object.entries(body).map(([name, value]) => [name, SECRET.test(name) ? '***' : value])),
  }
}

const SECRET = /token|secret|passw|credential|authorization|api-?key/i
