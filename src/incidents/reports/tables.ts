// What reports over a stretch of time are asked by: an index by when incidents were opened, and one for what people said.
import type { Kysely } from 'kysely'

export async function createReportIndexes(db: Kysely<unknown>): Promise<void> {
  await db.schema.createIndex('incidents_by_opening').on('incidents').columns(['tenant', 'opened_at']).execute()
  await db.schema
    .createIndex('feedback_by_incident')
    .ifNotExists()
    .on('feedback')
    .columns(['incident_id', 'at'])
    .execute()
  await db.schema.createIndex('action_runs_by_incident').ifNotExists().on('action_runs').column('incident_id').execute()
}
