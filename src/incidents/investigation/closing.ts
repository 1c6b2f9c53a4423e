// How an incident ends. Either an action of ours is verified, or its alerts end by themselves.
import { flapsOf } from '../folding/flapping.ts'
import { planToRemember } from '../memory/keep.ts'
import { moveIncident } from '../store.ts'
import type { IncidentOutcome } from '../tables.ts'
import { voidPending } from './acting/void-pending.ts'
import { countEvents, countFiring, getIncident, lastVerdict } from './incident.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'
import { onceIn, planNews } from '../telling/news.ts'

type ClosingContext = Pick<InvestigationContext, 'db' | 'clock' | 'feed' | 'config'>

/** Times the time of verification: how long alerts may go on after an action that mended what they are about. */
const LAG_FACTOR = 2

/** Inside a transaction. Returns whether it was open until now. */
export async function closeIncident(
  context: ClosingContext,
  trx: InvestigationDb,
  incidentId: string,
  outcome: IncidentOutcome,
  text: string,
): Promise<boolean> {
  const at = context.clock.now()
  const event = { at, kind: 'closed', text, data: { outcome } }
  const { moved } = await moveIncident(trx, incidentId, 'closed', { outcome }, event)
  if (moved) {
    // An incident that opened again closes again, and that is told too.
    const once = onceIn(await countEvents(trx, incidentId, 'closed'))
    await planNews(trx, incidentId, { kind: 'closed', at, details: { outcome }, once })
    await planToRemember(trx, incidentId, at)
  }
  return moved
}

/**
 * Closes an incident that only waits, when none of its alerts fires any more; a proposal that still waits is void.
 * While it is looked at or acted on nothing is done here: the investigation itself comes by at its end.
 */
export async function settle(context: ClosingContext, incidentId: string): Promise<void> {
  const closed = await context.db.transaction().execute(async (trx: InvestigationDb) => {
    const { state } = await getIncident(trx, incidentId)
    if (state !== 'watching' && state !== 'awaiting_approval') return false
    if ((await countFiring(trx, incidentId)) > 0) return false
    // Its end may be a moment's calm: it is looked at again when it is stable.
    if ((await flapsOf(trx, [incidentId])).length > 0) return false
    const closes = (await wasFixed(context, trx, incidentId))
      ? await closeIncident(context, trx, incidentId, 'fixed', 'Closed: the fix worked and all alerts have ended.')
      : await closeIncident(
          context,
          trx,
          incidentId,
          'recovered',
          (await lastVerdict(trx, incidentId)) === undefined
            ? 'Closed: all alerts ended without an action of ours.'
            : 'Closed: all alerts have ended. It is not certain that the action did it.',
        )
    await voidPending(trx, incidentId, 'All alerts ended before it was decided.', context.clock.now())
    return closes
  })
  if (closed) context.feed.publish(incidentId)
}

/**
 * Whether the end of the alerts belongs to an action: the numbers were seen to be back after it and the alerts only
 * lagged behind. Alerts that went on for long after it ended for another reason.
 */
async function wasFixed(context: ClosingContext, trx: InvestigationDb, incidentId: string): Promise<boolean> {
  if ((await lastVerdict(trx, incidentId)) !== 'numbers_back') return false
  const last = await trx
    .selectFrom('action_runs')
    .innerJoin('approvals', 'approvals.id', 'action_runs.id')
    .select(['action_runs.finished_at', 'approvals.undo_of'])
    .where('action_runs.incident_id', '=', incidentId)
    .orderBy('action_runs.started_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  // What was taken back did not fix it.
  if (!last || last.undo_of !== null) return false
  return context.clock.now() - (last.finished_at ?? 0) <= LAG_FACTOR * context.config.verify.withinSeconds * 1000
}
