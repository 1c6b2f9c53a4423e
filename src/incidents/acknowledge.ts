// Somebody says that they look after an incident. It is told to the others and changes nothing else: alerts join, end and
// close it as before.
import type { Db } from '../db/connect.ts'
import { addEvent } from './store.ts'
import type { IncidentRow, IncidentTables } from './tables.ts'

/** Inside the caller's transaction. Saying it again changes nothing until the incident opens again. */
export async function acknowledge<Tables extends IncidentTables>(
  trx: Db<Tables>,
  { id }: IncidentRow,
  by: string,
  nowMs: number,
): Promise<{ readonly isNew: boolean }> {
  const db = trx as unknown as Db<IncidentTables>
  const { opened } = await db
    .selectFrom('incident_events')
    .select((eb) => eb.fn.max('seq').as('opened'))
    .where('incident_id', '=', id)
    .where('kind', 'in', ['opened', 'reopened'])
    .executeTakeFirstOrThrow()
  const data = { by }
  const before = await db
    .selectFrom('incident_events')
    .select('id')
    .where('incident_id', '=', id)
    .where('kind', '=', 'acknowledged')
    .where('seq', '>', opened ?? 0)
    .where('data', '=', JSON.stringify(data))
    .executeTakeFirst()
  if (before) return { isNew: false }
  await addEvent(trx, id, { at: nowMs, kind: 'acknowledged', text: `${by} looks after it.`, data })
  return { isNew: true }
}
