// What people say to the on-call agent: yes or no to a proposal, what to do instead, and whether a diagnosis was right.
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { Investigator } from '../../incidents/investigation/investigator.ts'
import { findIncident, readIncident } from '../../incidents/read.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { approvalDecision, askBody, type DryRunView, feedbackBody } from '../../incidents/view.ts'
import { type Exchange, ok, type Route } from '../exchange.ts'

export interface ApprovalRouteDeps {
  readonly db: Db<IncidentTables>
  readonly investigator: Pick<Investigator, 'decide' | 'giveFeedback' | 'askForAction' | 'dryRun'>
  /** From this risk on, an approval is asked for a second time. */
  readonly confirmFromRisk: number
}

const MAX_BODY_BYTES = 64 * 1024

/**
 * `POST /v1/incidents/:id/approvals/:approvalId`, `…/dry-run` behind it, `POST /v1/incidents/:id/actions` and
 * `POST /v1/incidents/:id/feedback`; `:id` may be a number.
 */
export function approvalRoutes({ db, investigator, confirmFromRisk }: ApprovalRouteDeps): Route[] {
  const incidentIdOf = async ({ params, caller }: Exchange): Promise<string> => {
    const given = params['id'] ?? ''
    const incident = await findIncident(db, caller.tenant, given)
    if (!incident) throw new AppError('not_found', `There is no incident ${given}.`)
    return incident.id
  }
  const approvalOf = async (tenant: string, incidentId: string, approvalId: string) => {
    const view = await readIncident(db, incidentId, { tenant, confirmFromRisk })
    return [view?.approval, ...(view?.approvals ?? [])].find((one) => one?.id === approvalId)
  }
  return [
    {
      method: 'POST',
      path: '/v1/incidents/:id/approvals/:approvalId',
      scope: 'incidents:approve',
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (exchange) => {
        const { tenant, name: by, keyId } = exchange.caller
        const body = await exchange.json(approvalDecision)
        const incidentId = await incidentIdOf(exchange)
        const approvalId = exchange.params['approvalId'] ?? ''
        await investigator.decide({ incidentId, approvalId, tenant, by, keyId, ...body })
        return ok({ approval: await approvalOf(tenant, incidentId, approvalId) })
      },
    },
    {
      method: 'POST',
      path: '/v1/incidents/:id/approvals/:approvalId/dry-run',
      scope: 'incidents:approve',
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (exchange) => {
        const { tenant } = exchange.caller
        const incidentId = await incidentIdOf(exchange)
        const approvalId = exchange.params['approvalId'] ?? ''
        const found = await investigator.dryRun({ incidentId, approvalId, tenant }, exchange.signal)
        return ok(found satisfies DryRunView)
      },
    },
    {
      method: 'POST',
      path: '/v1/incidents/:id/actions',
      scope: 'incidents:approve',
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (exchange) => {
        const { tenant, name: by, keyId } = exchange.caller
        const body = await exchange.json(askBody)
        const incidentId = await incidentIdOf(exchange)
        const what =
          'undo' in body
            ? ({ kind: 'undo', approvalId: body.undo } as const)
            : ({ kind: 'action', name: body.action, service: body.service, parameters: body.parameters } as const)
        const approvalId = await investigator.askForAction({ incidentId, tenant, by, keyId, what }, exchange.signal)
        return { status: 201, json: { approval: await approvalOf(tenant, incidentId, approvalId) } }
      },
    },
    {
      method: 'POST',
      path: '/v1/incidents/:id/feedback',
      scope: 'incidents:approve',
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (exchange) => {
        const { tenant, name: by } = exchange.caller
        const body = await exchange.json(feedbackBody)
        await investigator.giveFeedback({ incidentId: await incidentIdOf(exchange), tenant, by, ...body })
        return { status: 201, json: { kept: true } }
      },
    },
  ]
}
