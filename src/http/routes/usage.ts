// `GET /v1/usage`: sums by model and day. An admin sees the whole tenant, anybody else the own key.
import { z } from 'zod'
import type { Clock } from '../../core/clock.ts'
import { mayDo } from '../../core/caller.ts'
import type { Db } from '../../db/connect.ts'
import { reportUsage } from '../../gateway/usage-report.ts'
import type { GatewayTables } from '../../gateway/tables.ts'
import { ok, type Route } from '../exchange.ts'

const DAY_MS = 86_400_000
const DEFAULT_DAYS = 30

const day = z.iso.date('must be a day such as 2026-11-23').transform((text) => Date.parse(text))
const question = z.strictObject({
  /** First and last day, both included, in UTC. */
  from: day.optional(),
  to: day.optional(),
})

export interface UsageRouteDeps {
  readonly db: Db<GatewayTables>
  /** Resolves when what has ended is in the database. */
  readonly flush: () => Promise<void>
  readonly clock: Clock
}

export function usageRoutes({ db, flush, clock }: UsageRouteDeps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/usage',
      scope: 'llm:chat',
      handle: async (exchange) => {
        const { caller } = exchange
        const { from, to } = exchange.query(question)
        const lastDay = to ?? Math.floor(clock.now() / DAY_MS) * DAY_MS
        const firstDay = from ?? lastDay - (DEFAULT_DAYS - 1) * DAY_MS
        await flush()
        const usage = await reportUsage(db, {
          tenant: caller.tenant,
          keyId: mayDo(caller, 'admin') ? undefined : caller.keyId,
          fromMs: firstDay,
          toMs: lastDay + DAY_MS,
        })
        return ok({ from: isoDay(firstDay), to: isoDay(lastDay), usage })
      },
    },
  ]
}

const isoDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
