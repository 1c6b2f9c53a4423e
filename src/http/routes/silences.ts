// Silences: who holds back which alerts, until when and why. Whoever may decide on incidents may make and end them.
import { z } from 'zod'
import type { AuditTables } from '../../audit/tables.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../db/connect.ts'
import {
  createSilence,
  endSilence,
  listSilences,
  silenceBody,
  type silenceList,
  type SilenceView,
} from '../../incidents/folding/silences.ts'
import type { IncidentTables } from '../../incidents/tables.ts'
import { ok, type Route } from '../exchange.ts'

export interface SilenceRouteDeps {
  readonly db: Db<IncidentTables & AuditTables>
  readonly clock: Clock
  /** What is held back may have changed: the folder looks. */
  readonly onChanged: () => void
}

const listQuery = z.strictObject({ all: z.enum(['true', 'false']).default('false') })

/** `GET /v1/silences` (`?all=true` with those that ended), `POST /v1/silences`, `DELETE /v1/silences/:id` (ends it now). */
export function silenceRoutes({ db, clock, onChanged }: SilenceRouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/silences',
      scope: 'incidents:read',
      handle: async (exchange) => {
        const all = exchange.query(listQuery).all === 'true'
        const now = clock.now()
        const silences = await listSilences(db, exchange.caller.tenant, all, now)
        return ok({ silences: [...silences], now } satisfies z.infer<typeof silenceList>)
      },
    },
    {
      method: 'POST',
      path: '/v1/silences',
      scope: 'incidents:approve',
      maxBodyBytes: 256 * 1024,
      handle: async (exchange) => {
        const body = await exchange.json(silenceBody)
        const silence = await createSilence(db, body, exchange.caller, clock.now())
        onChanged()
        return { status: 201, json: silence satisfies SilenceView }
      },
    },
    {
      method: 'DELETE',
      path: '/v1/silences/:id',
      scope: 'incidents:approve',
      handle: async (exchange) => {
        const silence = await endSilence(db, exchange.params['id'] ?? '', exchange.caller, clock.now())
        onChanged()
        return ok(silence satisfies SilenceView)
      },
    },
  ]
}
