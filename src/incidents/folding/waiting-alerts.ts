// The alerts that are stored and not folded yet.
import type { Db } from '../../db/connect.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'

/** The next to fold, in the order they came and began. In a long backlog the critical ones go first. */
export async function nextWaiting<Tables extends IncidentTables>(
  trx: Db<Tables>,
  limit: number,
  without: readonly string[],
): Promise<readonly AlertRow[]> {
  const db = trx as unknown as Db<IncidentTables>
  const waiting = () => {
    const query = db
      .selectFrom('alerts')
      .selectAll()
      .where('decision', 'is', null)
      .orderBy('first_at')
      .orderBy('starts_at')
      .orderBy('id')
      .limit(limit)
    return without.length === 0 ? query : query.where('id', 'not in', without)
  }
  const inOrder = await waiting().execute()
  if (inOrder.length < limit) return inOrder
  const critical = await waiting().where('severity', '=', 'critical').execute()
  return critical.length > 0 ? critical : inOrder
}

/** How many there are, of one tenant or of all. */
export async function countWaiting(db: Db<IncidentTables>, tenant?: string): Promise<number> {
  const query = db
    .selectFrom('alerts')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('decision', 'is', null)
  const { n } = await (tenant === undefined ? query : query.where('tenant', '=', tenant)).executeTakeFirstOrThrow()
  return n
}
