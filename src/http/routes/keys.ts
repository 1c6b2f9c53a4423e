// API keys, managed by an admin of their own tenant. A key is in an answer once: when it is made.
import { z } from 'zod'
import { createKey, listKeys, revokeKey } from '../../access/keys.ts'
import type { AccessTables } from '../../access/tables.ts'
import { SCOPES } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { ok, type Route } from '../exchange.ts'

const newKey = z.strictObject({
  name: z.string().trim().min(1).max(100),
  scopes: z.array(z.enum(SCOPES)).min(1),
})

/** `GET` and `POST /v1/keys`, `DELETE /v1/keys/:id`. */
export function keyRoutes({ db, clock }: { db: Db<AccessTables>; clock: Clock }): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/keys',
      scope: 'admin',
      handle: async ({ caller }) => ok({ keys: await listKeys(db, caller.tenant) }),
    },
    {
      method: 'POST',
      path: '/v1/keys',
      scope: 'admin',
      handle: async (exchange) => {
        const { name, scopes } = await exchange.json(newKey)
        const made = await createKey(db, { tenant: exchange.caller.tenant, name, scopes: [...new Set(scopes)] }, clock)
        return { status: 201, headers: { 'cache-control': 'no-store' }, json: made }
      },
    },
    {
      method: 'DELETE',
      path: '/v1/keys/:id',
      scope: 'admin',
      handle: async ({ caller, params }) => {
        const id = params['id'] ?? ''
        if (!(await revokeKey(db, id, clock, caller.tenant))) throw new AppError('not_found', `There is no key ${id}.`)
        return { status: 204, body: '' }
      },
    },
  ]
}
