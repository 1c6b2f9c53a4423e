// Keeps cases: one a closed incident, written once, and no more of them than is wanted. Whatever closed before there were
// cases, or while the process died, is found and kept at the next start.
import type { AgentConfig } from '../../config/schema.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'
import type { IncidentTables } from '../tables.ts'
import { makeCase } from './case.ts'
import { signatureSchema } from './signature.ts'

export type Retention = AgentConfig['memory']
type MemoryDb = Db<IncidentTables & QueueTables>

const DAY_MS = 86_400_000
/** In one transaction: other writers come between. */
const AT_ONCE = 50

/** Inside the transaction that closes the incident. */
export const planToRemember = (trx: MemoryDb, incidentId: string, nowMs: number): Promise<void> =>
  enqueue(trx, { kind: 'remember', key: incidentId, payload: { incidentId }, runAtMs: nowMs })

/** At every start: also of use after the retention was raised. */
export const planToCatchUp = (db: MemoryDb, nowMs: number): Promise<void> =>
  enqueue(db, { kind: 'remember', key: `all ${nowMs}`, payload: {}, runAtMs: nowMs })

/** Keeps one incident that closed, or all that were not kept yet, and forgets what is too old or too many. */
export async function remember(
  db: MemoryDb,
  incidentId: string | undefined,
  retention: Retention,
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const oldest = nowMs - retention.keepDays * DAY_MS
  if (incidentId === undefined) await catchUp(db, retention, oldest, signal)
  else await db.transaction().execute((trx) => keepOne(trx, incidentId))
  await forgetOld(db, retention, oldest)
}

/** Of each tenant what would not be forgotten again at once, the newest first. */
async function catchUp(db: MemoryDb, { keepCases }: Retention, oldest: number, signal: AbortSignal): Promise<void> {
  const closed = db
    .selectFrom('incidents')
    .where('incidents.state', '=', 'closed')
    .where('incidents.closed_at', '>=', oldest)
  for (const { tenant } of await closed.select('tenant').distinct().execute()) {
    const beyond = await closed
      .select('closed_at')
      .where('tenant', '=', tenant)
      .orderBy('closed_at', 'desc')
      .offset(keepCases)
      .limit(1)
      .executeTakeFirst()
    const missing = await closed
      .leftJoin('incident_cases', 'incident_cases.incident_id', 'incidents.id')
      .select('incidents.id')
      .where('incidents.tenant', '=', tenant)
      .where('incidents.closed_at', '>', beyond?.closed_at ?? 0)
      .where('incident_cases.incident_id', 'is', null)
      .orderBy('incidents.closed_at', 'desc')
      .execute()
    for (let at = 0; at < missing.length; at += AT_ONCE) {
      signal.throwIfAborted()
      const some = missing.slice(at, at + AT_ONCE)
      await db.transaction().execute(async (trx) => {
        for (const { id } of some) await keepOne(trx, id)
      })
    }
  }
}

/** Does nothing for one that is kept already (or erased), and for one that is open. */
async function keepOne(trx: MemoryDb, incidentId: string): Promise<void> {
  const incident = await trx
    .selectFrom('incidents')
    .selectAll()
    .where('id', '=', incidentId)
    .where('state', '=', 'closed')
    .executeTakeFirst()
  const known = await trx
    .selectFrom('incident_cases')
    .select('incident_id')
    .where('incident_id', '=', incidentId)
    .executeTakeFirst()
  // Its alerts are another's now, and so is what there is to learn.
  const merged = await trx
    .selectFrom('incident_merges')
    .select('into_id')
    .where('incident_id', '=', incidentId)
    .executeTakeFirst()
  if (!incident || known || merged) return
  const row = await makeCase(trx, incident)
  await trx.insertInto('incident_cases').values(row).execute()
  const { features } = signatureSchema.parse(JSON.parse(row.signature))
  if (features.length === 0) return
  const { tenant, incident_id } = row
  await trx
    .insertInto('incident_case_features')
    .values(features.map((feature) => ({ tenant, feature, incident_id })))
    .execute()
}

/** By age, and then the oldest of each tenant that has too many. */
async function forgetOld(db: MemoryDb, { keepCases }: Retention, oldest: number): Promise<void> {
  await forgetUntil(db, undefined, oldest - 1)
  const counts = await db
    .selectFrom('incident_cases')
    .select((eb) => ['tenant', eb.fn.countAll<number>().as('n')])
    .where('erased_at', 'is', null)
    .groupBy('tenant')
    .execute()
  for (const { tenant, n } of counts) {
    if (n <= keepCases) continue
    const last = await db
      .selectFrom('incident_cases')
      .select('closed_at')
      .where('tenant', '=', tenant)
      .where('erased_at', 'is', null)
      .orderBy('closed_at', 'desc')
      .offset(keepCases)
      .limit(1)
      .executeTakeFirst()
    if (last) await forgetUntil(db, tenant, last.closed_at)
  }
}

/** The empty row of an erased case stays: without it a longer retention would keep the case again from its incident. */
async function forgetUntil(db: MemoryDb, tenant: string | undefined, lastMs: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    let old = trx
      .selectFrom('incident_cases')
      .select('incident_id')
      .where('closed_at', '<=', lastMs)
      .where('erased_at', 'is', null)
    if (tenant !== undefined) old = old.where('tenant', '=', tenant)
    await trx.deleteFrom('incident_case_features').where('incident_id', 'in', old).execute()
    await trx.deleteFrom('incident_cases').where('incident_id', 'in', old).execute()
  })
}
