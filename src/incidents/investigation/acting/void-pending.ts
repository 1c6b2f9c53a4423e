// A proposal that still waits ends with what it was made for.
import type { InvestigationDb } from '../context.ts'
import { recordDecision } from './audit.ts'

/** In the caller's transaction. Does nothing where none waits. */
export async function voidPending(
  trx: InvestigationDb,
  incidentId: string,
  reason: string,
  now: number,
): Promise<void> {
  const voided = await trx
    .updateTable('approvals')
    .set({ state: 'void', decided_at: now, reason })
    .where('incident_id', '=', incidentId)
    .where('state', '=', 'pending')
    .returning(['id', 'incident_id', 'action'])
    .execute()
  for (const approval of voided) await recordDecision(trx, approval, { state: 'void', at: now, reason })
}
