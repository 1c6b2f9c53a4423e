// What the steps read of an incident.
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { report, type Report } from '../report.ts'
import type { AlertRow, IncidentRow, IncidentTables } from '../tables.ts'
import type { Verdict } from './state.ts'

/** Throws `not_found`. */
export async function getIncident(db: Db<IncidentTables>, id: string): Promise<IncidentRow> {
  const row = await db.selectFrom('incidents').selectAll().where('id', '=', id).executeTakeFirst()
  if (!row) throw new AppError('not_found', `There is no incident ${id}.`)
  return row
}

/** The alerts folded into an incident, oldest first. */
export async function alertsOf(db: Db<IncidentTables>, incidentId: string): Promise<readonly AlertRow[]> {
  return await db
    .selectFrom('alerts')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('starts_at')
    .limit(MAX_ALERTS)
    .execute()
}

/** Of an alert storm this many tell where it hurts. */
const MAX_ALERTS = 500

export async function countFiring(db: Db<IncidentTables>, incidentId: string): Promise<number> {
  const { firing } = await db
    .selectFrom('alerts')
    .select((eb) => eb.fn.countAll<number>().as('firing'))
    .where('incident_id', '=', incidentId)
    .where('status', '=', 'firing')
    .executeTakeFirstOrThrow()
  return firing
}

/** The stored report, or null before there is one. */
export const reportOf = (incident: IncidentRow): Report | null =>
  incident.report === null ? null : report.parse(JSON.parse(incident.report))

/** Whether the timeline has an event of this kind (and text) since the latest look at the incident began. */
export async function hasEvent(
  db: Db<IncidentTables>,
  incidentId: string,
  kind: string,
  text?: string,
): Promise<boolean> {
  const { began } = await db
    .selectFrom('incident_events')
    .select((eb) => eb.fn.max('seq').as('began'))
    .where('incident_id', '=', incidentId)
    .where('kind', '=', 'investigating')
    .executeTakeFirstOrThrow()
  let query = db
    .selectFrom('incident_events')
    .select('id')
    .where('incident_id', '=', incidentId)
    .where('kind', '=', kind)
    .where('seq', '>', began ?? 0)
  if (text !== undefined) query = query.where('text', '=', text)
  return (await query.limit(1).executeTakeFirst()) !== undefined
}

/** How many events of a kind its timeline has. */
export async function countEvents<Tables extends IncidentTables>(
  db: Db<Tables>,
  incidentId: string,
  kind: string,
): Promise<number> {
  const { n } = await (db as unknown as Db<IncidentTables>)
    .selectFrom('incident_events')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('incident_id', '=', incidentId)
    .where('kind', '=', kind)
    .executeTakeFirstOrThrow()
  return n
}

/** How often it has been investigated, this time included. */
export const countLooks = (db: Db<IncidentTables>, incidentId: string): Promise<number> =>
  countEvents(db, incidentId, 'investigating')

/** 1 for the first; counts up each time that a closed incident opens again. */
export const openingOf = async (db: Db<IncidentTables>, incidentId: string): Promise<number> =>
  (await countEvents(db, incidentId, 'reopened')) + 1

const verified = z.object({ verdict: z.enum(['numbers_back', 'not_fixed', 'worse']) })

/** How the last action of an incident was judged while it stayed open, or undefined when none was. */
export async function lastVerdict(db: Db<IncidentTables>, incidentId: string): Promise<Verdict | undefined> {
  const last = await db
    .selectFrom('incident_events')
    .select('data')
    .where('incident_id', '=', incidentId)
    .where('kind', '=', 'verified')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  return last?.data ? verified.parse(JSON.parse(last.data)).verdict : undefined
}
