// What happens when alerts of an incident end. That the last one ended may be a moment's calm: a job looks again a
// little later, and its handler decides, for an alert may have begun again by then.
import type { Db } from '../db/connect.ts'
import { enqueue, type QueueTables } from '../db/queue.ts'
import { noteFlapEnded } from './folding/flapping.ts'
import { isMilestone, mentionsSingly } from './mention.ts'
import { mention } from './opening-words.ts'
import { addEvent } from './store.ts'
import type { IncidentTables } from './tables.ts'

export interface EndedAlert {
  readonly alertId: string
  readonly incidentId: string
  readonly name: string
  readonly service: string | null
  readonly endsAtMs: number
  /** Why it counts as ended, where nobody told us that it did. */
  readonly supposed?: string
}

/** How long after the last alert ended the incident is looked at. */
const RECOVERY_GRACE_MS = 15_000

/** Tells it in the timelines and enqueues `recovered` where nothing fires any more. Returns the incidents touched. */
export async function noteEnded(
  trx: Db<IncidentTables & QueueTables>,
  ended: readonly EndedAlert[],
  nowMs: number,
): Promise<readonly string[]> {
  const byIncident = Map.groupBy(ended, (alert) => alert.incidentId)
  if (byIncident.size === 0) return []
  const touched: string[] = []
  for (const [incidentId, alerts] of byIncident) {
    const incident = await trx
      .selectFrom('incidents')
      .select((eb) => [
        'state',
        eb
          .selectFrom('alerts')
          .select(eb.fn.countAll<number>().as('n'))
          .where('incident_id', '=', incidentId)
          .as('all'),
        eb
          .selectFrom('alerts')
          .select(eb.fn.countAll<number>().as('n'))
          .where('incident_id', '=', incidentId)
          .where('status', '=', 'firing')
          .as('firing'),
      ])
      .where('id', '=', incidentId)
      .executeTakeFirstOrThrow()
    touched.push(incidentId)
    await noteFlapEnded(
      trx,
      incidentId,
      alerts.map(({ alertId }) => alertId),
      nowMs,
    )
    const last = alerts.at(-1)
    if (incident.state === 'closed' || !last) continue
    const all = incident.all ?? 0
    if (mentionsSingly(all)) {
      for (const { name, service, supposed } of alerts) {
        const ended = supposed === undefined ? 'ended' : `counts as ended: ${supposed}`
        await addEvent(trx, incidentId, { at: nowMs, kind: 'alert', text: `${mention(name, service)} ${ended}.` })
      }
    } else {
      for (const [supposed, { length }] of Map.groupBy(alerts, (alert) => alert.supposed))
        if (supposed !== undefined)
          await addEvent(trx, incidentId, {
            at: nowMs,
            kind: 'alert',
            text: `${length} ${length === 1 ? 'alert counts' : 'alerts count'} as ended: ${supposed}.`,
          })
    }
    if (incident.firing !== 0) continue
    if (all > 1 && (mentionsSingly(all) || isMilestone(all)))
      await addEvent(trx, incidentId, { at: nowMs, kind: 'alert', text: `All ${all} alerts have ended.` })
    await enqueue(trx, {
      kind: 'recovered',
      key: `${incidentId}:${last.alertId}:${last.endsAtMs}`,
      payload: { incidentId },
      runAtMs: nowMs + RECOVERY_GRACE_MS,
    })
  }
  return touched
}
