// What live readers of the timelines ask: the events after the place where they left off. Places are numbered in the
// order of commits, so a reader that comes back with its last one misses nothing and sees nothing twice.
import type { Db } from '../db/connect.ts'
import { eventPositions } from './counters.ts'
import type { IncidentTables } from './tables.ts'

export interface LiveEvent {
  readonly position: number
  readonly incidentId: string
  readonly number: number
  /** The incident's state now, which may be later than the event. */
  readonly state: string
  readonly seq: number
  readonly at: number
  readonly kind: string
  readonly text: string
}

export interface LiveFilter {
  readonly tenant: string
  /** All incidents of the tenant when absent. */
  readonly incidentId?: string | undefined
  readonly after: number
  readonly limit: number
}

/** Events after a position, in order. */
export async function eventsAfter(db: Db<IncidentTables>, filter: LiveFilter): Promise<readonly LiveEvent[]> {
  const query = db
    .selectFrom('incident_events as e')
    .innerJoin('incidents as i', 'i.id', 'e.incident_id')
    .select(['e.position', 'e.incident_id as incidentId', 'i.number', 'i.state', 'e.seq', 'e.at', 'e.kind', 'e.text'])
    .where('e.position', '>', filter.after)
    .orderBy('e.position')
    .limit(filter.limit)
  const mine =
    filter.incidentId === undefined
      ? query.where('e.tenant', '=', filter.tenant)
      : query.where('i.tenant', '=', filter.tenant).where('e.incident_id', '=', filter.incidentId)
  return await mine.execute()
}

/** The position of the tenant's latest event; 0 before the first. */
export async function latestPosition(db: Db<IncidentTables>, tenant: string): Promise<number> {
  const row = await db
    .selectFrom('counters')
    .select('value')
    .where('name', '=', eventPositions(tenant))
    .executeTakeFirst()
  return row?.value ?? 0
}

/** Which of these incidents are the tenant's, with their states. */
export async function incidentStates(
  db: Db<IncidentTables>,
  tenant: string,
  ids: readonly string[],
): Promise<readonly { readonly incidentId: string; readonly number: number; readonly state: string }[]> {
  if (ids.length === 0) return []
  return await db
    .selectFrom('incidents')
    .select(['id as incidentId', 'number', 'state'])
    .where('tenant', '=', tenant)
    .where('id', 'in', ids)
    .execute()
}
