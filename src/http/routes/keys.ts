// API keys, managed by an admin of their own tenant. A key is in an answer once: when it is made.
import { z } from 'zod'
import { changeKey, createKey, listKeys, revokeKey, TEAM_NAME } from '../../access/keys.ts'
import type { AccessTables } from '../../access/tables.ts'
import { SCOPES } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { limitSet } from '../../core/limits.ts'
import type { Db } from '../../db/connect.ts'
import { ok, type Route } from '../exchange.ts'

const team = z.string().regex(TEAM_NAME, 'must be letters, digits, ".", "_" or "-", at most 64')

const newKey = z.strictObject({
  name: z.string().trim().min(1).max(100),
  scopes: z.array(z.enum(SCOPES)).min(1),
  team: team.optional(),
  limits: limitSet.optional(),
})

/** As of RFC 7396: what is not named stays, and null takes away. */
const keyChange = z.strictObject({
  team: team.nullable().optional(),
  limits: z
    .strictObject({
      requestsPerMinute: limitSet.shape.requestsPerMinute.nullable(),
      tokensPerMinute: limitSet.shape.tokensPerMinute.nullable(),
      concurrency: limitSet.shape.concurrency.nullable(),
      budgetUsd: limitSet.shape.budgetUsd.nullable(),
    })
    .optional(),
})

/** `GET` and `POST /v1/keys`, `PATCH` and `DELETE /v1/keys/:id`. */
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
        const { scopes, ...wanted } = await exchange.json(newKey)
        const { tenant } = exchange.caller
        const made = await createKey(db, { ...wanted, tenant, scopes: [...new Set(scopes)] }, clock)
        return { status: 201, headers: { 'cache-control': 'no-store' }, json: made }
      },
    },
    {
      method: 'PATCH',
      path: '/v1/keys/:id',
      scope: 'admin',
      handle: async (exchange) => {
        const id = exchange.params['id'] ?? ''
        const changed = await changeKey(db, id, await exchange.json(keyChange), exchange.caller.tenant)
        if (!changed) throw new AppError('not_found', `There is no key ${id}, or it is revoked.`)
        return ok(changed)
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
