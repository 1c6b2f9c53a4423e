// What was used, out of the ledger: sums by model and day (UTC).
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { GatewayTables } from './tables.ts'

export interface UsageQuestion {
  readonly tenant: string
  /** Only this key's; all of the tenant's without it. */
  readonly keyId?: string | undefined
  /** ms since the epoch; `toMs` is not included. */
  readonly fromMs: number
  readonly toMs: number
}

export interface UsageLine {
  /** `2026-11-23`, in UTC. */
  readonly day: string
  readonly model: string
  readonly requests: number
  readonly served: number
  /** Of those served: from our own cache, or along with an identical request. */
  readonly servedFromCache: number
  /** Read anew: neither from a provider's cache nor written to it. */
  readonly inputTokens: number
  /** Read from a provider's cache. */
  readonly cachedTokens: number
  /** Written to a provider's cache, for however long. */
  readonly cacheWriteTokens: number
  /** With reasoning. */
  readonly outputTokens: number
  /** The sum of the costs that are known. */
  readonly costUsd: number
  /** Requests whose cost is not known (yet): they are missing from `costUsd`. */
  readonly requestsOfUnknownCost: number
}

/** Newest day first. */
export async function reportUsage(db: Db<GatewayTables>, question: UsageQuestion): Promise<readonly UsageLine[]> {
  // Written out, not bound: a bound number may be a float, and then this is no division of whole numbers.
  const day = sql<number | string>`at / 86400000`
  let query = db
    .selectFrom('ledger')
    .select(['model'])
    .select(day.as('day'))
    .select((eb) => [
      eb.fn.countAll<number | string>().as('requests'),
      sum("case when outcome = 'served' then 1 else 0 end").as('served'),
      sum("case when outcome = 'served' and cache in ('hit', 'shared') then 1 else 0 end").as('from_cache'),
      sum('input_tokens').as('input'),
      sum('cached_tokens').as('cached'),
      sum('coalesce(cache_write_tokens, 0) + coalesce(cache_write_1h_tokens, 0)').as('written'),
      sum('output_tokens').as('output'),
      sum('cost_micro_usd').as('cost'),
      sum('case when cost_micro_usd is null then 1 else 0 end').as('unknown'),
    ])
    .where('tenant', '=', question.tenant)
    .where('at', '>=', question.fromMs)
    .where('at', '<', question.toMs)
    // What was refused used nothing, and may name anything as its model.
    .where((eb) => eb.or([eb('outcome', 'is', null), eb('outcome', '!=', 'refused')]))
    .groupBy([day, 'model'])
    .orderBy(day, 'desc')
    .orderBy('model')
  if (question.keyId !== undefined) query = query.where('key_id', '=', question.keyId)
  return (await query.execute()).map((row) => ({
    day: new Date(Number(row.day) * 86_400_000).toISOString().slice(0, 10),
    model: row.model,
    requests: Number(row.requests),
    served: Number(row.served),
    servedFromCache: Number(row.from_cache),
    inputTokens: Number(row.input),
    cachedTokens: Number(row.cached),
    cacheWriteTokens: Number(row.written),
    outputTokens: Number(row.output),
    costUsd: Number(row.cost) / 1e6,
    requestsOfUnknownCost: Number(row.unknown),
  }))
}

/** PostgreSQL gives sums of bigints as text. */
const sum = (expression: string) => sql<number | string>`coalesce(sum(${sql.raw(expression)}), 0)`
