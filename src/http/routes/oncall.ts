// Who is on call, and who stands in. Whoever may decide on incidents may make and end overrides.
import { z } from 'zod'
import type { AuditTables } from '../../audit/tables.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../db/connect.ts'
import { readOncall } from '../../incidents/routing/oncall.ts'
import { createOverride, endOverride, overrideBody } from '../../incidents/routing/overrides.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { ok, type Route } from '../exchange.ts'

export interface OncallRouteDeps {
  readonly db: Db<IncidentTables & AuditTables>
  readonly clock: Clock
  /** `agent.teams`. */
  readonly teams: Parameters<typeof readOncall>[2]
}

const oncallQuery = z.strictObject({
  at: z.iso.datetime({ offset: true }).optional(),
  days: z.coerce.number().int().min(1).max(92).default(14),
})

/**
 * `GET /v1/oncall` (`?at=` now unless told, `&days=` how far ahead it is looked for hand-overs and gaps),
 * `POST /v1/oncall/overrides`, `DELETE /v1/oncall/overrides/:id` (ends it now).
 */
export function oncallRoutes({ db, clock, teams }: OncallRouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/oncall',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const { at, days } = exchange.query(oncallQuery)
        const atMs = at === undefined ? clock.now() : Date.parse(at)
        return ok(await readOncall(db, exchange.caller.tenant, teams, atMs, days))
      },
    },
    {
      method: 'POST',
      path: '/v1/oncall/overrides',
      scope: 'incidents:approve',
      maxBodyBytes: 16 * 1024,
      handle: async (exchange) => {
        const body = await exchange.json(overrideBody)
        return { status: 201, json: await createOverride(db, teams, body, exchange.caller, clock.now()) }
      },
    },
    {
      method: 'DELETE',
      path: '/v1/oncall/overrides/:id',
      scope: 'incidents:approve',
      handle: async (exchange) => ok(await endOverride(db, exchange.params['id'] ?? '', exchange.caller, clock.now())),
    },
  ]
}
