// A run whose outcome is uncertain is looked after: the other side is asked again a few times, and what it says then is
// written down. Only its record changes: nothing is ever sent again from here.
import { enqueue } from '../../../db/queue.ts'
import { addEvent } from '../../store.ts'
import { actionOf, getApproval } from '../approvals.ts'
import type { InvestigationContext, InvestigationDb } from '../context.ts'
import { auditRun } from './audit.ts'
import { findEntry, requestFor } from './request.ts'
import { whatBecameOf } from './what-became.ts'

const AFTER_SECONDS = [30, 120, 600, 3600]

/** Inside the transaction that tells that it is uncertain. */
export async function planToReconcile(trx: InvestigationDb, approvalId: string, nowMs: number): Promise<void> {
  for (const seconds of AFTER_SECONDS)
    await enqueue(trx, {
      kind: 'reconcile',
      key: `${approvalId}:${seconds}`,
      payload: { approvalId },
      runAtMs: nowMs + seconds * 1000,
    })
}

/** Handles a `reconcile` job. */
export async function reconcile(
  { db, config, actions, clock, feed }: InvestigationContext,
  approvalId: string,
  signal: AbortSignal,
): Promise<void> {
  const run = await db.selectFrom('action_runs').selectAll().where('id', '=', approvalId).executeTakeFirst()
  if (run?.state !== 'uncertain') return
  const action = actionOf(await getApproval(db, approvalId))
  const entry = findEntry(config.actions, action.name)
  if (!entry?.check) return
  const found = await whatBecameOf(actions, entry, action.parameters, approvalId, signal).catch((error: unknown) => {
    // The entry asks for a value now that this run did not have: nothing can be asked by it.
    if (error instanceof RangeError) return { state: 'uncertain' } as const
    throw error
  })
  if (found?.state === 'uncertain') return
  const now = clock.now()
  // What is still under way may not be known there yet.
  if (!found && now < run.started_at + requestFor(entry, action.parameters, approvalId).timeoutMs) return
  const state = found ? 'done' : 'failed'
  const text = found
    ? `Certain now: ${action.title} was carried out; the other side confirms it.`
    : `Certain now: ${action.title} was not carried out; it never arrived.`
  await db.transaction().execute(async (trx: InvestigationDb) => {
    const detail = `${run.detail ?? ''}; asked again: ${found ? 'it was carried out' : 'it never arrived'}`
    const closed = await trx
      .updateTable('action_runs')
      .set({ state, detail })
      .where('id', '=', approvalId)
      .where('state', '=', 'uncertain')
      .executeTakeFirst()
    if (closed.numUpdatedRows === 0n) return
    await addEvent(trx, run.incident_id, { at: now, kind: 'reconciled', text, data: { approvalId, state } })
    await auditRun(trx, run, { state, at: now, detail })
  })
  feed.publish(run.incident_id)
}
