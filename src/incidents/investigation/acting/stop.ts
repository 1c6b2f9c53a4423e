// The switch that ends all acting at once: durable, looked at in the transaction that lets an action begin, so that
// nothing begins once a stop was answered. Whoever may approve may stop; going on is for admins.
import { appendAudit } from '../../../audit/log.ts'
import type { AuditTables } from '../../../audit/tables.ts'
import { AppError } from '../../../core/errors.ts'
import { newId } from '../../../core/ids.ts'
import type { Db } from '../../../db/connect.ts'
import type { IncidentTables } from '../../tables.ts'
import { hidePrivate } from '../model/hide.ts'
import { timeOfDay } from '../sentence.ts'

type ActingDb = Db<IncidentTables & AuditTables>

export interface Stop {
  readonly at: number
  readonly by: string
  readonly reason: string | null
}

/** The stop that holds for a tenant, or undefined. */
export async function findStop(db: Db<IncidentTables>, tenant: string): Promise<Stop | undefined> {
  return await db
    .selectFrom('acting_stops')
    .select(['at', 'by', 'reason'])
    .where('tenant', '=', tenant)
    .where('resumed_at', 'is', null)
    .orderBy('at')
    .limit(1)
    .executeTakeFirst()
}

export interface Switch {
  readonly tenant: string
  readonly by: string
  readonly at: number
}

/** Stops acting. A second stop changes nothing: the first one stands until somebody goes on. */
export async function stopActing(
  db: ActingDb,
  { tenant, by, at, reason }: Switch & { readonly reason?: string | undefined },
): Promise<Stop> {
  return await db.transaction().execute(async (trx: ActingDb) => {
    const held = await findStop(trx, tenant)
    if (held) return held
    const id = newId('stp', at)
    const stop = { at, by, reason: reason ?? null }
    await trx
      .insertInto('acting_stops')
      .values({ id, tenant, ...stop, resumed_at: null, resumed_by: null })
      .execute()
    const body = { reason: stop.reason && hidePrivate(stop.reason) }
    await appendAudit(trx, [{ tenant, at, actor: by, kind: 'acting.stopped', subject: id, body }])
    return stop
  })
}

/** Lets proposals be carried out again. What was void by then stays void. Throws `conflict` when nothing is stopped. */
export async function resumeActing(db: ActingDb, { tenant, by, at }: Switch): Promise<void> {
  await db.transaction().execute(async (trx: ActingDb) => {
    const resumed = await trx
      .updateTable('acting_stops')
      .set({ resumed_at: at, resumed_by: by })
      .where('tenant', '=', tenant)
      .where('resumed_at', 'is', null)
      .returning('id')
      .execute()
    if (resumed.length === 0) throw new AppError('conflict', 'Acting is not stopped.')
    const entry = { tenant, at, actor: by, kind: 'acting.resumed', body: {} }
    await appendAudit(
      trx,
      resumed.map(({ id: subject }) => ({ ...entry, subject })),
    )
  })
}

export const sayStop = ({ at, by, reason }: Stop): string =>
  `acting was stopped at ${timeOfDay(at)} by ${by}${reason === null || reason === '' ? '' : ` (${reason})`}`
