// Everything that classifying, routing and escalating work with.
import type { AuditTables } from '../../audit/tables.ts'
import type { AgentConfig } from '../../config/schema.ts'
import type { Clock } from '../../core/clock.ts'
import type { Edge, MetricSource } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import type { QueueTables } from '../../db/queue.ts'
import type { Log } from '../../observe/log.ts'
import type { IncidentFeed } from '../feed.ts'
import type { IncidentRow, IncidentTables } from '../tables.ts'
import type { CompiledRoute } from './route.ts'

export type RoutingDb = Db<IncidentTables & QueueTables & AuditTables>

export interface RoutingContext {
  readonly db: RoutingDb
  readonly config: Pick<AgentConfig, 'services' | 'teams'>
  readonly routes: readonly CompiledRoute[]
  readonly metrics: readonly MetricSource[]
  /** Who calls whom, as known now. */
  readonly topology: () => readonly Edge[]
  readonly clock: Clock
  readonly log: Log
  readonly feed: IncidentFeed
  /** There are jobs of our own, or news. */
  readonly wake: () => void
}

/** Locks the incident for the rest of the transaction, so that an acknowledgement comes before what follows or after it. */
export async function lockIncident(trx: RoutingDb, incidentId: string): Promise<IncidentRow | undefined> {
  return await trx
    .updateTable('incidents')
    .set((eb) => ({ updated_at: eb.ref('updated_at') }))
    .where('id', '=', incidentId)
    .returningAll()
    .executeTakeFirst()
}

/** Who looks after it since it opened last; undefined: nobody yet. */
export async function acknowledgedBy(db: Db<IncidentTables>, incidentId: string): Promise<string | undefined> {
  const opened = await latestOpening(db, incidentId)
  const found = await db
    .selectFrom('incident_events')
    .select('data')
    .where('incident_id', '=', incidentId)
    .where('kind', '=', 'acknowledged')
    .where('seq', '>', opened?.seq ?? 0)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst()
  if (!found) return undefined
  const { by } = JSON.parse(found.data ?? '{}') as { by?: string }
  return by ?? 'somebody'
}

/** Its event; undefined where there is none. */
export async function latestOpening(
  db: Db<IncidentTables>,
  incidentId: string,
): Promise<{ readonly seq: number; readonly at: number } | undefined> {
  return await db
    .selectFrom('incident_events')
    .select(['seq', 'at'])
    .where('incident_id', '=', incidentId)
    .where('kind', 'in', ['opened', 'reopened'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
}
