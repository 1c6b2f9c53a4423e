// Alerts in, and what became of them.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { parseAs, parseJson } from '../../core/parse.ts'
import { alertmanagerWebhook, readAlerts } from '../../incidents/alertmanager.ts'
import { type IntakeDeps, storeDelivery } from '../../incidents/intake.ts'
import { listAlerts } from '../../incidents/read-alerts.ts'
import { countWaiting } from '../../incidents/folding/waiting-alerts.ts'
import { ok, type Route } from '../exchange.ts'

export interface AlertRouteDeps extends IntakeDeps {
  readonly clock: Clock
}

const MAX_BODY_BYTES = 5 * 1024 * 1024

const alertsQuery = z.strictObject({
  decision: z.enum(['opened', 'joined', 'ignored', 'waiting']).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

/** `POST /v1/alerts/alertmanager`, `GET /v1/alerts`. */
export function alertRoutes(deps: AlertRouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/alerts/alertmanager',
      scope: 'alerts:write',
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (exchange) => {
        const bytes = await exchange.body()
        const webhook = parseAs(alertmanagerWebhook, parseJson(bytes))
        const nowMs = deps.clock.now()
        const { tenant } = exchange.caller
        const alerts = readAlerts(webhook, nowMs)
        const receipt = await storeDelivery(
          deps,
          { tenant, source: 'alertmanager', body: bytes.toString('utf8'), alerts },
          nowMs,
        )
        const { truncatedAlerts } = webhook
        if (truncatedAlerts > 0) deps.log.warn({ tenant, truncatedAlerts }, 'the sender left alerts out of a delivery')
        return {
          status: 202,
          json: {
            accepted: webhook.alerts.length,
            delivery: receipt.deliveryId,
            duplicate: receipt.duplicate,
            ...(truncatedAlerts > 0 ? { truncatedAlerts } : {}),
          },
        }
      },
    },
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
  ]
}
