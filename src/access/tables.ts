// The table of API keys. A key itself is never stored: only its SHA-256, which is enough for 32 random bytes.
import type { Kysely } from 'kysely'
import type { Migration } from '../db/migrate.ts'

export interface ApiKeyRow {
  id: string
  tenant: string
  name: string
  /** SHA-256 of the key, hexadecimal. */
  hash: string
  /** The first characters of the key, so that people can tell their keys apart. */
  hint: string
  /** JSON array of scopes. */
  scopes: string
  created_at: number
  /** Coarse: written at most once a minute. */
  last_used_at: number | null
  revoked_at: number | null
  team: string | null
  /** JSON object of its own limits; null: none. */
  limits: string | null
}

export interface AccessTables {
  api_keys: ApiKeyRow
}

export const accessMigrations: readonly Migration[] = [
  {
    name: '2026-11-23-access',
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable('api_keys')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('hash', 'text', (c) => c.notNull().unique())
        .addColumn('hint', 'text', (c) => c.notNull())
        .addColumn('scopes', 'text', (c) => c.notNull())
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addColumn('last_used_at', 'bigint')
        .addColumn('revoked_at', 'bigint')
        .execute()
    },
  },
  {
    name: '2026-11-24-key-limits',
    up: async (db: Kysely<unknown>) => {
      await db.schema.alterTable('api_keys').addColumn('team', 'text').execute()
      await db.schema.alterTable('api_keys').addColumn('limits', 'text').execute()
    },
  },
]
