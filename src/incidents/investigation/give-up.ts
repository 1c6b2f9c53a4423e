// When an investigation fails again and again, its incident must not hang where it stopped: it says so and waits for its
// alerts to end, and an action that may have left is told as uncertain and looked after.
import { moveIncident } from '../store.ts'
import { auditRun } from './acting/audit.ts'
import { planToReconcile } from './acting/reconcile.ts'
import { voidPending } from './acting/void-pending.ts'
import { closeIncident } from './closing.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'
import { countFiring } from './incident.ts'

export async function giveUp(
  context: Pick<InvestigationContext, 'db' | 'clock' | 'feed' | 'config'>,
  incidentId: string,
  reason: string,
): Promise<void> {
  const { db, clock, feed } = context
  const now = clock.now()
  await db.transaction().execute(async (trx: InvestigationDb) => {
    const detail = 'Midwatch failed while it was being carried out'
    const uncertain = await trx
      .updateTable('action_runs')
      .set({ state: 'uncertain', finished_at: now, detail })
      .where('incident_id', '=', incidentId)
      .where('state', '=', 'intended')
      .returning(['id', 'incident_id', 'action'])
      .execute()
    for (const { id } of uncertain) await planToReconcile(trx, id, now)
    const text = `The investigation failed and is not tried again: ${reason.slice(0, 500)}. Watching until the alerts end.`
    await moveIncident(trx, incidentId, 'watching', {}, { at: now, kind: 'watching', text })
    if ((await countFiring(trx, incidentId)) === 0)
      await closeIncident(context, trx, incidentId, 'recovered', 'Closed: all alerts ended without an action of ours.')
    await voidPending(trx, incidentId, 'The investigation failed.', now)
    for (const run of uncertain) await auditRun(trx, run, { state: 'uncertain', at: now, detail })
  })
  feed.publish(incidentId)
}
