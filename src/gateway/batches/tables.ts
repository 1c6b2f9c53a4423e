// Files that callers uploaded or batches wrote, and the batches. What a file holds is on the disk under its id; times are
// ms since the epoch.
import type { Kysely } from 'kysely'
import type { Migration } from '../../db/migrate.ts'

export interface FileRow {
  id: string
  tenant: string
  key_id: string
  filename: string
  purpose: 'batch' | 'batch_output'
  bytes: number
  created_at: number
  expires_at: number | null
}

export type BatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled'

export interface BatchRow {
  id: string
  tenant: string
  /** Who made it, as JSON: its calls are made, limited and charged as theirs. */
  caller: string
  endpoint: string
  input_file_id: string
  completion_window: string
  /** JSON. */
  metadata: string | null
  status: BatchStatus
  /** What it will have been once its files stand. From then on nothing more is asked. */
  closing: 'completed' | 'expired' | 'cancelled' | null
  /** What is wrong with the input file, as JSON. */
  errors: string | null
  /** null where all its requests do not name one and the same. */
  model: string | null
  total: number
  completed: number
  failed: number
  /** JSON, from the answers. */
  usage: string | null
  output_file_id: string | null
  error_file_id: string | null
  /** How long its files are kept from their creation; null: for good. */
  output_expires_after_s: number | null
  created_at: number
  expires_at: number
  in_progress_at: number | null
  finalizing_at: number | null
  completed_at: number | null
  failed_at: number | null
  expired_at: number | null
  cancelling_at: number | null
  cancelled_at: number | null
}

export interface BatchTables {
  files: FileRow
  batches: BatchRow
}

export const batchMigrations: readonly Migration[] = [
  {
    name: '2026-11-25-batches',
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable('files')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('key_id', 'text', (c) => c.notNull())
        .addColumn('filename', 'text', (c) => c.notNull())
        .addColumn('purpose', 'text', (c) => c.notNull())
        .addColumn('bytes', 'bigint', (c) => c.notNull())
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addColumn('expires_at', 'bigint')
        .execute()
      await db.schema.createIndex('files_by_tenant').on('files').columns(['tenant', 'id']).execute()
      let batches = db.schema
        .createTable('batches')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('caller', 'text', (c) => c.notNull())
        .addColumn('endpoint', 'text', (c) => c.notNull())
        .addColumn('input_file_id', 'text', (c) => c.notNull())
        .addColumn('completion_window', 'text', (c) => c.notNull())
        .addColumn('metadata', 'text')
        .addColumn('status', 'text', (c) => c.notNull())
        .addColumn('closing', 'text')
        .addColumn('errors', 'text')
        .addColumn('model', 'text')
        .addColumn('total', 'integer', (c) => c.notNull())
        .addColumn('completed', 'integer', (c) => c.notNull())
        .addColumn('failed', 'integer', (c) => c.notNull())
        .addColumn('usage', 'text')
        .addColumn('output_file_id', 'text')
        .addColumn('error_file_id', 'text')
        .addColumn('output_expires_after_s', 'bigint')
        .addColumn('created_at', 'bigint', (c) => c.notNull())
        .addColumn('expires_at', 'bigint', (c) => c.notNull())
      for (const time of ['in_progress', 'finalizing', 'completed', 'failed', 'expired', 'cancelling', 'cancelled']) {
        batches = batches.addColumn(`${time}_at`, 'bigint')
      }
      await batches.execute()
      await db.schema.createIndex('batches_by_tenant').on('batches').columns(['tenant', 'id']).execute()
      await db.schema.createIndex('batches_by_input').on('batches').columns(['input_file_id', 'status']).execute()
    },
  },
]

export const ENDED = ['failed', 'completed', 'expired', 'cancelled'] as const satisfies readonly BatchStatus[]
