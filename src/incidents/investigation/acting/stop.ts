// The switch that ends all acting at once: durable, looked at in the transaction that lets an action begin, so that
// nothing begins once a stop was answered. Whoever may approve may stop; going on is for admins.
import { AppError } from '../../../core/errors.ts'
import { newId } from '../../../core/ids.ts'
import type { Db } from '../../../db/connect.ts'
import type { IncidentTables } from '../../tables.ts'
import { timeOfDay } from '../sentence.ts'

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
  db: Db<IncidentTables>,
  { tenant, by, at, reason }: Switch & { readonly reason?: string | undefined },
): Promise<Stop> {
  return await db.transaction().execute(async (trx) => {
    const held = await findStop(trx, tenant)
    if (held) return held
    const stop = { at, by, reason: reason ?? null }
    await trx
      .insertInto('acting_stops')
      .values({ id: newId('stp', at), tenant, ...stop, resumed_at: null, resumed_by: null })
      .execute()
    return stop
  })
}

/** Lets proposals be carried out again. What was void by then stays void. Throws `conflict` when nothing is stopped. */
export async function resumeActing(db: Db<IncidentTables>, { tenant, by, at }: Switch): Promise<void> {
  const resumed = await db
    .updateTable('acting_stops')
    .set({ resumed_at: at, resumed_by: by })
    .where('tenant', '=', tenant)
    .where('resumed_at', 'is', null)
    .executeTakeFirst()
  if (resumed.numUpdatedRows === 0n) throw new AppError('conflict', 'Acting is not stopped.')
}

export const sayStop = ({ at, by, reason }: Stop): string =>
  `acting was stopped at ${timeOfDay(at)} by ${by}${reason === null || reason === '' ? '' : ` (${reason})`}`
