// The ledger: one row a request, there before the first byte goes to a provider and finished before the answer ends.
// Times are ms since the epoch. `outcome` null means under way.
import { type Kysely, sql } from 'kysely'
import { newId } from '../core/ids.ts'
import type { Migration } from '../db/migrate.ts'
import type { CacheResult, CostSource } from './decision.ts'

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
  /** Read anew: neither from the provider's cache nor written to it. */
  input_tokens: number | null
  /** Read from the provider's cache. */
  cached_tokens: number | null
  /** Written to it: for five minutes (or its default), for an hour. */
  cache_write_tokens: number | null
  cache_write_1h_tokens: number | null
  /** With reasoning. */
  output_tokens: number | null
  reasoning_tokens: number | null
  usage_source: UsageSource
  /** Of all attempts together. */
  cost_micro_usd: number | null
  cost_source: CostSource | null
  /** Of our own cache; null in rows from before there was one. */
  cache: CacheResult | null
  duration_ms: number | null
  /** Until the first content; null for plain answers. */
  ttft_ms: number | null
  error_code: string | null
  purpose: string | null
  team: string | null
  /** Whom the call names as behind it, as a hash: see limits/subjects.ts. */
  user_hash: string | null
  /**
   * What budgets count it at: what was reserved, while it is under way and where nobody learns what it cost; then the
   * cost. null: nothing was reserved, and the cost counts if it is known.
   */
  charged_micro_usd: number | null
  /** A `Decision` as JSON; null while under way, and in older rows. */
  decision: string | null
}

/** One row: what stands for this ledger among all that share a budget. */
interface LedgerIdentityRow {
  id: string
}

/** How far each file of the journal is in the ledger; written in the same transaction as the rows. */
export interface JournalPositionRow {
  segment: string
  bytes: number
  lines: number
}

export interface GatewayTables {
  ledger: LedgerRow
  ledger_identity: LedgerIdentityRow
  ledger_journal: JournalPositionRow
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
  {
    name: '2026-11-24-budgets',
    up: async (db: Kysely<unknown>) => {
      await db.schema.alterTable('ledger').addColumn('team', 'text').execute()
      await db.schema.alterTable('ledger').addColumn('user_hash', 'text').execute()
      await db.schema.alterTable('ledger').addColumn('charged_micro_usd', 'double precision').execute()
      // Callers can make up as many users as they like, and each is asked about once: not by reading the whole month.
      await sql`create index ledger_by_user on ledger (user_hash, at) where user_hash is not null`.execute(db)
      await db.schema
        .createTable('ledger_identity')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .execute()
      await sql`insert into ledger_identity (id) values (${newId('ledger')})`.execute(db)
    },
  },
  {
    name: '2026-11-25-ledger-journal',
    up: async (db: Kysely<unknown>) => {
      for (const column of ['cost_source', 'cache', 'decision']) {
        await db.schema.alterTable('ledger').addColumn(column, 'text').execute()
      }
      for (const column of ['cache_write_tokens', 'cache_write_1h_tokens']) {
        await db.schema.alterTable('ledger').addColumn(column, 'bigint').execute()
      }
      await db.schema.createIndex('ledger_by_request').on('ledger').columns(['request_id']).execute()
      await db.schema
        .createTable('ledger_journal')
        .addColumn('segment', 'text', (c) => c.primaryKey())
        .addColumn('bytes', 'bigint', (c) => c.notNull())
        .addColumn('lines', 'bigint', (c) => c.notNull())
        .execute()
    },
  },
]
