// The ledger: one row a request, there before the first byte goes to a provider and finished before the answer ends.
// Times are ms since the epoch. `outcome` null means under way.
import { type Kysely, sql } from 'kysely'
import type { Migration } from '../db/migrate.ts'

export type UsageSource =
  | 'measured' // the provider said so
  | 'estimated' // counted from the text that went through
  | 'unknown'

export interface LedgerRow {
  id: string
  tenant: string
  key_id: string
  request_id: string
  at: number
  /** The name the caller asked for. */
  model: string
  /** Who answered, or was tried last; null when nobody was asked. */
  provider: string | null
  provider_model: string | null
  endpoint: string
  /** What happened as an HTTP status. A stream that broke has the error's, although 200 had gone out. */
  status: number | null
  outcome: 'served' | 'refused' | 'failed' | 'abandoned' | null
  attempts: number
  /** Without cached ones. */
  input_tokens: number | null
  cached_tokens: number | null
  /** With reasoning. */
  output_tokens: number | null
  reasoning_tokens: number | null
  usage_source: UsageSource
  cost_micro_usd: number | null
  duration_ms: number | null
  /** Until the first content; null for plain answers. */
  ttft_ms: number | null
  error_code: string | null
  purpose: string | null
}

export interface GatewayTables {
  ledger: LedgerRow
}

export const gatewayMigrations: readonly Migration[] = [
  {
    name: '2026-11-23-gateway',
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable('ledger')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('key_id', 'text', (c) => c.notNull())
        .addColumn('request_id', 'text', (c) => c.notNull())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('model', 'text', (c) => c.notNull())
        .addColumn('provider', 'text')
        .addColumn('provider_model', 'text')
        .addColumn('endpoint', 'text', (c) => c.notNull())
        .addColumn('status', 'integer')
        .addColumn('outcome', 'text')
        .addColumn('attempts', 'integer', (c) => c.notNull())
        .addColumn('input_tokens', 'bigint')
        .addColumn('cached_tokens', 'bigint')
        .addColumn('output_tokens', 'bigint')
        .addColumn('reasoning_tokens', 'bigint')
        .addColumn('usage_source', 'text', (c) => c.notNull())
        .addColumn('cost_micro_usd', 'double precision')
        .addColumn('duration_ms', 'double precision')
        .addColumn('ttft_ms', 'double precision')
        .addColumn('error_code', 'text')
        .addColumn('purpose', 'text')
        .execute()
      await db.schema.createIndex('ledger_by_time').on('ledger').columns(['tenant', 'at']).execute()
      await sql`create index ledger_under_way on ledger (id) where outcome is null`.execute(db)
    },
  },
]
