// What other systems answered when they were asked about an incident: quotes, kept beside it. One row a question, written
// when it is answered, so that a crash in between asks only what is missing.
import type { Kysely } from 'kysely'

export interface IncidentContextRow {
  id: string
  incident_id: string
  /** The investigation for which it was asked, from 1. */
  look: number
  source: string
  tool: string
  /** JSON of what it was asked with. */
  arguments: string
  at: number
  text: string
  /** 1: there was more than was taken. */
  truncated: number
  /** Why there is no answer; null where there is one. */
  failure: string | null
}

export interface ContextTables {
  incident_context: IncidentContextRow
}

export async function createContextTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('incident_context')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('look', 'integer', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('tool', 'text', (c) => c.notNull())
    .addColumn('arguments', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('truncated', 'integer', (c) => c.notNull())
    .addColumn('failure', 'text')
    .addUniqueConstraint('incident_context_once', ['incident_id', 'look', 'source', 'tool', 'arguments'])
    .execute()
}
