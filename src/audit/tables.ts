// The audit log: what was asked of models, what tools were called, what people decided and what was carried out. Rows are
// only ever added. Each holds the hash of the one before, and the head says how many there are and how the last one hashes.
import type { Kysely } from 'kysely'
import type { Migration } from '../db/migrate.ts'

export interface AuditRow {
  /** Counts up from 1, without a gap. */
  seq: number
  tenant: string
  /** ms since the epoch. */
  at: number
  /** Who did it: `agent`, a key's name. */
  actor: string
  /** `model.prompt`, `model.answer`, `tool.call`, `knowledge.question`, `approval.decided`, `action.run`, `acting.stopped` … */
  kind: string
  /** What it was about: the id of an incident, a stop, a silence, a lesson. */
  subject: string
  /** JSON, with secrets and personal data replaced before it got here. */
  body: string
  previous_hash: string
  hash: string
}

/** One row. */
export interface AuditHeadRow {
  id: number
  seq: number
  hash: string
}

export interface AuditTables {
  audit_log: AuditRow
  audit_head: AuditHeadRow
}

/** The hash before the first entry. */
export const NOTHING_BEFORE = '0'.repeat(64)

export const auditMigrations: readonly Migration[] = [
  {
    name: '2026-11-26-audit',
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable('audit_log')
        .addColumn('seq', 'bigint', (c) => c.primaryKey())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('actor', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('subject', 'text', (c) => c.notNull())
        .addColumn('body', 'text', (c) => c.notNull())
        .addColumn('previous_hash', 'text', (c) => c.notNull())
        .addColumn('hash', 'text', (c) => c.notNull())
        .execute()
      await db.schema
        .createIndex('audit_log_by_subject')
        .on('audit_log')
        .columns(['tenant', 'subject', 'seq'])
        .execute()
      await db.schema
        .createTable('audit_head')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('seq', 'bigint', (c) => c.notNull())
        .addColumn('hash', 'text', (c) => c.notNull())
        .execute()
      await (db as Kysely<AuditTables>)
        .insertInto('audit_head')
        .values({ id: 1, seq: 0, hash: NOTHING_BEFORE })
        .execute()
    },
  },
]
