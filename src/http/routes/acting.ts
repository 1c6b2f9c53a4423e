// What the agent may do, how it did so far, and the switch that stops it all. Whoever may approve may stop; letting it go
// on is for admins.
import type { AuditTables } from '../../audit/tables.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../db/connect.ts'
import { resumeActing, stopActing } from '../../incidents/investigation/acting/stop.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { type ActingView, stopBody } from '../../incidents/view.ts'
import { ok, type Route } from '../exchange.ts'

export interface ActingRouteDeps {
  readonly db: Db<IncidentTables & AuditTables>
  readonly clock: Clock
  /** The catalogue with what came of it. */
  readonly overview: (tenant: string) => Promise<ActingView>
}

/** `GET /v1/actions`, `POST /v1/actions/stop`, `POST /v1/actions/resume`. */
export function actingRoutes({ db, clock, overview }: ActingRouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/actions',
      scope: 'incidents:read',
      handle: async ({ caller }) => ok((await overview(caller.tenant)) satisfies ActingView),
    },
    {
      method: 'POST',
      path: '/v1/actions/stop',
      scope: 'incidents:approve',
      handle: async (exchange) => {
        const { tenant, name: by } = exchange.caller
        const { reason } = await exchange.json(stopBody)
        await stopActing(db, { tenant, by, at: clock.now(), reason })
        return ok(await overview(tenant))
      },
    },
    {
      method: 'POST',
      path: '/v1/actions/resume',
      scope: 'admin',
      handle: async ({ caller: { tenant, name: by } }) => {
        await resumeActing(db, { tenant, by, at: clock.now() })
        return ok(await overview(tenant))
      },
    },
  ]
}
