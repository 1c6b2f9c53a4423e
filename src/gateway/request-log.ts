// The ledger read request by request, newest first. Pages go by the place of the last row seen, so that rows that come
// meanwhile neither repeat nor hide any.
import type { SelectQueryBuilder } from 'kysely'
import type { Db } from '../db/connect.ts'
import { type CacheResult, type CostSource, type Decision, parseDecision } from './decision.ts'
import type { GatewayTables, LedgerRow, UsageSource } from './tables.ts'

/** Whose requests may be seen: all of the tenant's, or those of one key. */
export interface Viewer {
  readonly tenant: string
  readonly keyId: string | undefined
}

export interface RequestFilter {
  readonly model?: string | undefined
  readonly outcome?: RequestView['outcome'] | undefined
  readonly keyId?: string | undefined
  /** ms since the epoch; `toMs` is not included. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** The place of a row in the list. */
export interface Place {
  readonly at: number
  readonly id: string
}

export interface RequestView {
  readonly id: string
  readonly requestId: string
  /** ms since the epoch. */
  readonly at: number
  readonly keyId: string
  readonly team: string | null
  /** Whom the call named as behind it, as a hash. */
  readonly user: string | null
  readonly model: string
  readonly endpoint: string
  readonly purpose: string | null
  readonly outcome: NonNullable<LedgerRow['outcome']> | 'under-way'
  readonly status: number | null
  readonly error: string | null
  readonly provider: string | null
  readonly providerModel: string | null
  readonly attempts: number
  readonly cache: CacheResult | null
  readonly tokens: {
    readonly input: number | null
    readonly cacheRead: number | null
    readonly cacheWrite: number | null
    readonly cacheWrite1h: number | null
    readonly output: number | null
    readonly reasoning: number | null
    readonly source: UsageSource
  }
  /** null: not known. */
  readonly costUsd: number | null
  readonly costSource: CostSource | null
  readonly durationMs: number | null
  readonly firstContentMs: number | null
}

export interface RequestDetail extends RequestView {
  /** null while under way, and for requests from before decisions were kept. */
  readonly decision: Decision | null
}

export interface RequestPage {
  readonly requests: readonly RequestView[]
  /** Where the next page begins; null at the end. */
  readonly next: Place | null
}

/** Newest first. */
export async function listRequests(
  db: Db<GatewayTables>,
  viewer: Viewer,
  { filter, after, limit }: { filter: RequestFilter; after: Place | undefined; limit: number },
): Promise<RequestPage> {
  let query = visible(db, viewer)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
  if (filter.model !== undefined) query = query.where('model', '=', filter.model)
  if (filter.keyId !== undefined) query = query.where('key_id', '=', filter.keyId)
  if (filter.fromMs !== undefined) query = query.where('at', '>=', filter.fromMs)
  if (filter.toMs !== undefined) query = query.where('at', '<', filter.toMs)
  if (filter.outcome === 'under-way') query = query.where('outcome', 'is', null)
  else if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome)
  if (after) {
    const { at, id } = after
    // The first condition says nothing new, but lets the index find the place.
    query = query.where('at', '<=', at).where((eb) => eb.or([eb('at', '<', at), eb('id', '<', id)]))
  }
  const rows = await query.execute()
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    requests: shown.map(toView),
    next: rows.length > limit && last ? { at: last.at, id: last.id } : null,
  }
}

/** By the ledger's id, or by `x-request-id`; where callers used one twice, the newest. */
export async function findRequest(
  db: Db<GatewayTables>,
  viewer: Viewer,
  idOrRequestId: string,
): Promise<RequestDetail | undefined> {
  const one = (column: 'id' | 'request_id') =>
    visible(db, viewer).select('decision').where(column, '=', idOrRequestId).orderBy('at', 'desc').executeTakeFirst()
  const row = (await one('id')) ?? (await one('request_id'))
  return row && { ...toView(row), decision: parseDecision(row.decision) }
}

const SHOWN = [
  'id',
  'request_id',
  'at',
  'key_id',
  'team',
  'user_hash',
  'model',
  'endpoint',
  'purpose',
  'outcome',
  'status',
  'error_code',
  'provider',
  'provider_model',
  'attempts',
  'cache',
  'input_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'output_tokens',
  'reasoning_tokens',
  'usage_source',
  'cost_micro_usd',
  'cost_source',
  'duration_ms',
  'ttft_ms',
] as const satisfies readonly (keyof LedgerRow)[]

type Shown = Pick<LedgerRow, (typeof SHOWN)[number]>

function visible(db: Db<GatewayTables>, { tenant, keyId }: Viewer): SelectQueryBuilder<GatewayTables, 'ledger', Shown> {
  const query = db.selectFrom('ledger').select(SHOWN).where('tenant', '=', tenant)
  return keyId === undefined ? query : query.where('key_id', '=', keyId)
}

const toView = (row: Shown): RequestView => ({
  id: row.id,
  requestId: row.request_id,
  at: row.at,
  keyId: row.key_id,
  team: row.team,
  user: row.user_hash,
  model: row.model,
  endpoint: row.endpoint,
  purpose: row.purpose,
  outcome: row.outcome ?? 'under-way',
  status: row.status,
  error: row.error_code,
  provider: row.provider,
  providerModel: row.provider_model,
  attempts: row.attempts,
  cache: row.cache,
  tokens: {
    input: row.input_tokens,
    cacheRead: row.cached_tokens,
    cacheWrite: row.cache_write_tokens,
    cacheWrite1h: row.cache_write_1h_tokens,
    output: row.output_tokens,
    reasoning: row.reasoning_tokens,
    source: row.usage_source,
  },
  costUsd: row.cost_micro_usd === null ? null : row.cost_micro_usd / 1e6,
  costSource: row.cost_source,
  durationMs: row.duration_ms,
  firstContentMs: row.ttft_ms,
})
