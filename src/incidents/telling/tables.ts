// What telling leaves behind elsewhere: one row for an incident at one target of one channel.
import type { Kysely } from 'kysely'

export interface TraceRow {
  tenant: string
  incident_id: string
  channel: string
  /** Empty: the channel's own default. */
  recipient: string
  reference: string
  title: string
  url: string | null
  at: number
}

export interface TellingTables {
  told_traces: TraceRow
}

export async function createTellingTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('told_traces')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('channel', 'text', (c) => c.notNull())
    .addColumn('recipient', 'text', (c) => c.notNull())
    .addColumn('reference', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('url', 'text')
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('told_traces_once', ['incident_id', 'channel', 'recipient'])
    .execute()
  // From a message or a ticket back to its incident.
  await db.schema.createIndex('told_traces_by_reference').on('told_traces').columns(['channel', 'reference']).execute()
}
