// Alerts in, and what became of them.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { countWaiting } from '../../incidents/folding/waiting-alerts.ts'
import { findAlert, listAlerts } from '../../incidents/read-alerts.ts'
import type { Intake } from '../../incidents/receive.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { type Exchange, ok, type Reply, type Route } from '../exchange.ts'

export interface AlertRouteDeps {
  readonly intake: Pick<Intake, 'receive'>
  readonly db: Db<IncidentTables>
  readonly clock: Clock
}

const MAX_BODY_BYTES = 5 * 1024 * 1024

const alertsQuery = z.strictObject({
  decision: z.enum(['opened', 'joined', 'ignored', 'muted', 'not_understood', 'waiting']).optional(),
  source: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

/** `POST /v1/alerts/:sender`, `POST /v1/alerts` (whose sender is told by its shape), `GET /v1/alerts`, `GET /v1/alerts/:id`. */
export function alertRoutes(deps: AlertRouteDeps): Route[] {
  const receive = {
    method: 'POST',
    scope: 'alerts:write',
    maxBodyBytes: MAX_BODY_BYTES,
    keyInUrl: true,
    handle: (exchange: Exchange) => take(deps, exchange),
  } as const
  return [
    { ...receive, path: '/v1/alerts' },
    { ...receive, path: '/v1/alerts/:sender' },
    {
      method: 'GET',
      path: '/v1/alerts',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const query = exchange.query(alertsQuery)
        const { tenant } = exchange.caller
        return ok({
          alerts: await listAlerts(deps.db, { tenant, ...query }),
          waiting: await countWaiting(deps.db, tenant),
          now: deps.clock.now(),
        })
      },
    },
    {
      method: 'GET',
      // Of ids alone: beside it stands the address of each sender, which takes other methods.
      path: '/v1/alerts/:id(^alr_[0-9A-Za-z]+$)',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const id = exchange.params['id'] ?? ''
        const alert = await findAlert(deps.db, exchange.caller.tenant, id)
        if (!alert) throw new AppError('not_found', `There is no alert ${id.slice(0, 60)}.`)
        return ok(alert)
      },
    },
  ]
}

async function take({ intake }: AlertRouteDeps, exchange: Exchange): Promise<Reply> {
  const bytes = await exchange.body()
  const received = await intake.receive({
    tenant: exchange.caller.tenant,
    sender: exchange.params['sender'],
    bytes,
    headers: exchange.headers,
    signal: exchange.signal,
  })
  return {
    status: 202,
    json: {
      accepted: received.accepted,
      delivery: received.deliveryId,
      duplicate: received.duplicate,
      ...(received.truncated > 0 ? { truncatedAlerts: received.truncated } : {}),
      ...(exchange.params['sender'] === undefined ? { sender: received.sender } : {}),
      ...(received.problems.length > 0 ? { notUnderstood: received.problems } : {}),
    },
  }
}
