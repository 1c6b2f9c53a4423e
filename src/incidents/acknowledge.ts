// Somebody says that they look after an incident. It is told to the others, nobody else is woken, and nothing else changes:
// alerts join, end and close it as before.
import type { Db } from '../db/connect.ts'
import type { QueueTables } from '../db/queue.ts'
import { latestOpening } from './routing/context.ts'
import { stopEscalations } from './routing/escalate.ts'
import { addEvent } from './store.ts'
import { planNews } from './telling/news.ts'
import type { IncidentRow, IncidentTables } from './tables.ts'

/** Inside the caller's transaction. Saying it again changes nothing until the incident opens again. */
export async function acknowledge<Tables extends IncidentTables & QueueTables>(
  trx: Db<Tables>,
  { id }: IncidentRow,
  by: string,
  nowMs: number,
): Promise<{ readonly isNew: boolean }> {
  const db = trx as unknown as Db<IncidentTables & QueueTables>
  const opened = (await latestOpening(db, id))?.seq ?? 0
  const data = { by }
  const before = await db
    .selectFrom('incident_events')
    .select('id')
    .where('incident_id', '=', id)
    .where('kind', '=', 'acknowledged')
    .where('seq', '>', opened)
    .where('data', '=', JSON.stringify(data))
    .executeTakeFirst()
  if (before) return { isNew: false }
  const stopped = await stopEscalations(db, id, by, nowMs)
  const nobodyElse = stopped.length === 0 ? '' : ` Nobody else of ${stopped.join(', ')} is woken.`
  await addEvent(trx, id, { at: nowMs, kind: 'acknowledged', text: `${by} looks after it.${nobodyElse}`, data })
  await planNews(db, id, { kind: 'acknowledged', at: nowMs, details: { by }, once: `${opened}:${by}` })
  return { isNew: true }
}
