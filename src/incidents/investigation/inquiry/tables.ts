// What an investigation writes down beside its checkpoints: the notes of its steps, the whole outputs of its tools, and what
// it read of the running system, so that the same evidence can be gone through again by later code.
import type { Kysely } from 'kysely'
import type { Migration } from '../../../db/migrate.ts'

/** One a step and round; written once, so that a step that runs again finds what it had done. */
export interface InquiryNoteRow {
  incident_id: string
  look: number
  step: string
  round: number
  at: number
  /** JSON of a `Note`. */
  body: string
}

export interface ToolOutputRow {
  incident_id: string
  look: number
  /** `metrics.2`: what pages are asked by. */
  call_id: string
  at: number
  /** JSON of the question. */
  query: string
  /** JSON of every row, up to the bound of what is kept. */
  rows: string
  /** In words, when it failed. */
  error: string | null
}

export interface InvestigationEvidenceRow {
  incident_id: string
  look: number
  tenant: string
  at: number
  /** JSON, gzipped, in base 64. */
  body: string
}

export interface InquiryTables {
  inquiry_notes: InquiryNoteRow
  tool_outputs: ToolOutputRow
  investigation_evidence: InvestigationEvidenceRow
}

export const inquiryMigrations: readonly Migration[] = [
  {
    name: '2026-11-26-inquiry',
    up: async (db: Kysely<unknown>) => {
      await db.schema
        .createTable('inquiry_notes')
        .addColumn('incident_id', 'text', (c) => c.notNull())
        .addColumn('look', 'integer', (c) => c.notNull())
        .addColumn('step', 'text', (c) => c.notNull())
        .addColumn('round', 'integer', (c) => c.notNull())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('body', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('inquiry_notes_key', ['incident_id', 'look', 'step', 'round'])
        .execute()
      await db.schema
        .createTable('tool_outputs')
        .addColumn('incident_id', 'text', (c) => c.notNull())
        .addColumn('look', 'integer', (c) => c.notNull())
        .addColumn('call_id', 'text', (c) => c.notNull())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('query', 'text', (c) => c.notNull())
        .addColumn('rows', 'text', (c) => c.notNull())
        .addColumn('error', 'text')
        .addPrimaryKeyConstraint('tool_outputs_key', ['incident_id', 'look', 'call_id'])
        .execute()
      await db.schema
        .createTable('investigation_evidence')
        .addColumn('incident_id', 'text', (c) => c.notNull())
        .addColumn('look', 'integer', (c) => c.notNull())
        .addColumn('tenant', 'text', (c) => c.notNull())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .addColumn('body', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('investigation_evidence_key', ['incident_id', 'look'])
        .execute()
      await db.schema
        .createIndex('investigation_evidence_by_time')
        .on('investigation_evidence')
        .columns(['tenant', 'at'])
        .execute()
    },
  },
]
