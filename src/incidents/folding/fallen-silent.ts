// Ends alerts that nobody speaks of any more: a resolve can get lost, and some senders never send one. Without this
// their incidents would stay open for good. It is the same end as one that is told, but says that it is not certain.
import { sql } from 'kysely'
import type { Db } from '../../db/connect.ts'
import type { QueueTables } from '../../db/queue.ts'
import { duration } from '../investigation/sentence.ts'
import { type EndedAlert, noteEnded } from '../recovery.ts'
import { type AlertRow, type IncidentTables, stillFiring } from '../tables.ts'

/** How long after the end that a sender announced its next word may still come. */
const ANNOUNCED_GRACE_MS = 5 * 60_000
const BATCH = 200

export interface Silenced {
  /** How many alerts ended. */
  readonly ended: number
  /** Whether there may be more. */
  readonly more: boolean
  /** Incidents that changed. */
  readonly incidentIds: readonly string[]
}

/** Ends a batch of the folded alerts that fire by their last word, but are not heard of any more. One transaction. */
export async function endSilent(
  db: Db<IncidentTables & QueueTables>,
  silentAfterMs: number,
  nowMs: number,
): Promise<Silenced> {
  return await db.transaction().execute(async (trx) => {
    const silent = await trx
      .selectFrom('alerts')
      .select(['id', 'incident_id', 'name', 'service', 'last_at', 'ends_by', 'reason'])
      .where(stillFiring)
      .where('decision', 'is not', null)
      .where((is) =>
        is.or([is('last_at', '<=', nowMs - silentAfterMs), is('ends_by', '<=', nowMs - ANNOUNCED_GRACE_MS)]),
      )
      .orderBy('last_at')
      .limit(BATCH)
      .execute()
    const ended: EndedAlert[] = []
    let count = 0
    for (const row of silent) {
      const { why, endsAtMs } = endOf(row, silentAfterMs, nowMs)
      const { numUpdatedRows } = await trx
        .updateTable('alerts')
        .set({ status: 'resolved', ends_at: endsAtMs, reason: sql`reason || ${`; counts as ended: ${why}`}` })
        .where('id', '=', row.id)
        // It may have been delivered again since it was read.
        .where('status', '=', 'firing')
        .where('last_at', '=', row.last_at)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) continue
      count++
      if (row.incident_id !== null)
        ended.push({
          alertId: row.id,
          incidentId: row.incident_id,
          name: row.name,
          service: row.service,
          endsAtMs,
          supposed: why,
        })
    }
    return { ended: count, more: silent.length === BATCH, incidentIds: await noteEnded(trx, ended, nowMs) }
  })
}

function endOf({ last_at, ends_by }: Pick<AlertRow, 'last_at' | 'ends_by'>, silentAfterMs: number, nowMs: number) {
  if (last_at <= nowMs - silentAfterMs || ends_by === null)
    return { why: `not heard of for ${duration(silentAfterMs)}`, endsAtMs: nowMs }
  return { why: 'the end that its sender announced has passed', endsAtMs: ends_by }
}
