// Changes of the running system, in and out.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { changesBody, changeTime, listChanges, storeChanges } from '../../incidents/changes.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { ok, type Route } from '../exchange.ts'

export interface ChangeRouteDeps {
  readonly db: Db<IncidentTables>
  readonly clock: Clock
}

const MAX_BODY_BYTES = 5 * 1024 * 1024
const DAY_MS = 86_400_000

const changesQuery = z.strictObject({
  from: changeTime.optional(),
  to: changeTime.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
})

/** `POST /v1/changes`, `GET /v1/changes?from=&to=&limit=` (the last day when not told). */
export function changeRoutes({ db, clock }: ChangeRouteDeps): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/changes',
      scope: 'alerts:write',
      maxBodyBytes: MAX_BODY_BYTES,
      handle: async (exchange) => {
        const changes = await exchange.json(changesBody)
        const stored = await storeChanges(db, exchange.caller.tenant, changes, clock.now()).catch((error: unknown) => {
          throw new AppError('unavailable', 'The changes could not be stored; none of them was. Send them again.', {
            cause: error,
            retryAfterSeconds: 5,
          })
        })
        return { status: 202, json: { accepted: changes.length, known: changes.length - stored } }
      },
    },
    {
      method: 'GET',
      path: '/v1/changes',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const { from, to, limit } = exchange.query(changesQuery)
        const toMs = to ?? clock.now()
        const range = { tenant: exchange.caller.tenant, fromMs: from ?? toMs - DAY_MS, toMs, limit }
        return ok({ changes: await listChanges(db, range), now: clock.now() })
      },
    },
  ]
}
