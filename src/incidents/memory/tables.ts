// Where cases lie: one row an incident that closed, and its features once more as rows, so that whoever looks for cases
// alike reads only those that share something. An erased case keeps its row, emptied, so that nothing fills it again.
import type { Kysely } from 'kysely'

export interface CaseRow {
  incident_id: string
  tenant: string
  /** The incident's number: what people call it. */
  number: number
  opened_at: number
  closed_at: number
  outcome: 'fixed' | 'recovered' | null
  /** JSON of the signature (signature.ts). */
  signature: string
  /** The diagnosed cause; null when none was named. What people said of it stays where they said it (`feedback`). */
  cause_service: string | null
  cause_kind: string | null
  confidence: number | null
  /** JSON of CaseDetail (case.ts). */
  detail: string
  erased_at: number | null
}

export interface CaseFeatureRow {
  tenant: string
  feature: string
  incident_id: string
}

export interface CaseTables {
  incident_cases: CaseRow
  incident_case_features: CaseFeatureRow
}

export async function createCaseTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('incident_cases')
    .addColumn('incident_id', 'text', (c) => c.primaryKey().references('incidents.id'))
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .addColumn('closed_at', 'bigint', (c) => c.notNull())
    .addColumn('outcome', 'text')
    .addColumn('signature', 'text', (c) => c.notNull())
    .addColumn('cause_service', 'text')
    .addColumn('cause_kind', 'text')
    .addColumn('confidence', 'double precision')
    .addColumn('detail', 'text', (c) => c.notNull())
    .addColumn('erased_at', 'bigint')
    .execute()
  await db.schema.createIndex('incident_cases_by_end').on('incident_cases').columns(['tenant', 'closed_at']).execute()
  await db.schema
    .createTable('incident_case_features')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('feature', 'text', (c) => c.notNull())
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incident_cases.incident_id'))
    .addPrimaryKeyConstraint('incident_case_features_key', ['tenant', 'feature', 'incident_id'])
    .execute()
  await db.schema
    .createIndex('incident_case_features_by_case')
    .on('incident_case_features')
    .column('incident_id')
    .execute()
}
