// What acting keeps beside approvals and runs: who agreed to a proposal, and when acting was stopped and gone on with.
import type { Kysely } from 'kysely'

/** One person's yes to one proposal. Where two are needed, the proposal waits until there are two of these. */
export interface ApprovalVoteRow {
  approval_id: string
  /** By whom people are told apart: the name, however it is written. */
  person: string
  by: string
  /** The key it came with. */
  key_id: string | null
  at: number
}

/** A stop holds until it has a `resumed_at`. */
export interface ActingStopRow {
  id: string
  tenant: string
  at: number
  by: string
  reason: string | null
  resumed_at: number | null
  resumed_by: string | null
}

export interface ActingTables {
  approval_votes: ApprovalVoteRow
  acting_stops: ActingStopRow
}

export async function createActingTables(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('approvals').addColumn('people', 'integer').execute()
  await db.schema.alterTable('approvals').addColumn('requested_by', 'text').execute()
  await db.schema.alterTable('approvals').addColumn('requested_key', 'text').execute()
  await db.schema.alterTable('approvals').addColumn('undo_of', 'text').execute()
  await db.schema.alterTable('approvals').addColumn('undo_named', 'integer').execute()
  await db.schema.alterTable('action_runs').addColumn('verdict', 'text').execute()
  await db.schema
    .createTable('approval_votes')
    .addColumn('approval_id', 'text', (c) => c.notNull().references('approvals.id'))
    .addColumn('person', 'text', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('key_id', 'text')
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('approval_votes_once', ['approval_id', 'person'])
    .execute()
  await db.schema
    .createTable('acting_stops')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('resumed_at', 'bigint')
    .addColumn('resumed_by', 'text')
    .execute()
  await db.schema.createIndex('acting_stops_by_tenant').on('acting_stops').columns(['tenant', 'resumed_at']).execute()
}
