// Where the checkpoints of the incident graph lie. Values are text: JSON as it is, bytes in base 64.
import type { Kysely } from 'kysely'
import type { Migration } from '../../db/migrate.ts'

export interface CheckpointRow {
  thread_id: string
  namespace: string
  checkpoint_id: string
  parent_id: string | null
  type: string
  checkpoint: string
  metadata_type: string
  metadata: string
}

/** One value of one channel, shared by every checkpoint that names this version. */
export interface CheckpointValueRow {
  thread_id: string
  namespace: string
  channel: string
  version: string
  type: string
  value: string
}

/** What a task of a step wrote before the step was over, or the interrupt it ended in. */
export interface CheckpointWriteRow {
  thread_id: string
  namespace: string
  checkpoint_id: string
  task_id: string
  task_path: string
  position: number
  channel: string
  type: string
  value: string
}

export interface CheckpointTables {
  checkpoints: CheckpointRow
  checkpoint_values: CheckpointValueRow
  checkpoint_writes: CheckpointWriteRow
}

export const checkpointMigrations: readonly Migration[] = [{ name: '2026-11-23-checkpoints', up: createTables }]

async function createTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('checkpoints')
    .addColumn('thread_id', 'text', (c) => c.notNull())
    .addColumn('namespace', 'text', (c) => c.notNull())
    .addColumn('checkpoint_id', 'text', (c) => c.notNull())
    .addColumn('parent_id', 'text')
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('checkpoint', 'text', (c) => c.notNull())
    .addColumn('metadata_type', 'text', (c) => c.notNull())
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('checkpoints_key', ['thread_id', 'namespace', 'checkpoint_id'])
    .execute()
  await db.schema
    .createTable('checkpoint_values')
    .addColumn('thread_id', 'text', (c) => c.notNull())
    .addColumn('namespace', 'text', (c) => c.notNull())
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('checkpoint_values_key', ['thread_id', 'namespace', 'channel', 'version'])
    .execute()
  await db.schema
    .createTable('checkpoint_writes')
    .addColumn('thread_id', 'text', (c) => c.notNull())
    .addColumn('namespace', 'text', (c) => c.notNull())
    .addColumn('checkpoint_id', 'text', (c) => c.notNull())
    .addColumn('task_id', 'text', (c) => c.notNull())
    .addColumn('task_path', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('checkpoint_writes_key', [
      'thread_id',
      'namespace',
      'checkpoint_id',
      'task_id',
      'position',
    ])
    .execute()
}
