// The first look comes when the first alerts do, and more may follow: the trouble spreads, another one begins, or an action
// was carried out and alerts go on. So an open incident is looked at again a few times. Only when another cause shows is
// it investigated anew; what a person is reading does not change for less.
import { enqueue } from '../../db/queue.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import type { Report } from '../report.ts'
import { moveIncident } from '../store.ts'
import type { IncidentState } from '../tables.ts'
import { voidPending } from './acting/void-pending.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'
import { countFiring, countLooks, getIncident, reportOf } from './incident.ts'
import { readScope } from './scope.ts'
import type { InvestigationState } from './state.ts'

/** After the report, and after an action that did not end the alerts. */
const AFTER_REPORT_SECONDS = [20, 60, 180]
const AFTER_ACTION_SECONDS = 20
/** Investigations that one incident gets. */
const MOST_LOOKS = 3
/** Another cause less sure than this is no reason to begin anew. */
const SURE_ENOUGH_TO_BEGIN_ANEW = 0.6

/** Inside the transaction that stores the report. */
export async function planSecondLooks(trx: InvestigationDb, incidentId: string, look: number, nowMs: number) {
  for (const seconds of AFTER_REPORT_SECONDS)
    await enqueueLook(trx, incidentId, look, String(seconds), nowMs + seconds * 1000)
}

/** Inside the transaction that tells that an action did not end it. */
export const planLookAfterAction = (
  trx: InvestigationDb,
  incidentId: string,
  look: number,
  round: number,
  nowMs: number,
) => enqueueLook(trx, incidentId, look, `action ${round}`, nowMs + AFTER_ACTION_SECONDS * 1000)

/** New alerts joined what was looked at already: one look for all that come within an interval. */
export async function planLookAtNewAlerts(trx: InvestigationDb, incidentId: string, nowMs: number, intervalMs: number) {
  const look = await countLooks(trx, incidentId)
  const interval = Math.floor(nowMs / intervalMs)
  await enqueueLook(trx, incidentId, look, `joined ${interval}`, nowMs + intervalMs)
}

const enqueueLook = (trx: InvestigationDb, incidentId: string, look: number, which: string, runAtMs: number) =>
  look >= MOST_LOOKS
    ? Promise.resolve()
    : enqueue(trx, { kind: 'again', key: `${incidentId}:${look}:${which}`, payload: { incidentId, look }, runAtMs })

/** Where nothing of ours is under way and nobody is being waited for but a person. */
const STILL: readonly IncidentState[] = ['watching', 'awaiting_approval']

/** Handles an `again` job. `look` is the investigation that planned it: a later one has its own. */
export async function lookAgain(
  context: InvestigationContext,
  incidentId: string,
  look: number,
  signal: AbortSignal,
): Promise<void> {
  const { db, clock, config, desk, feed, wake } = context
  const incident = await getIncident(db, incidentId)
  const report = reportOf(incident)
  if (!STILL.includes(incident.state) || !report || (await countLooks(db, incidentId)) !== look) return
  if ((await countFiring(db, incidentId)) === 0) return
  const { window, symptoms } = await readScope(db, incident, clock.now(), config.diagnosis)
  const state = { incidentId, look: look + 1, window, symptoms } as InvestigationState
  const { causes, abstained } = await desk.diagnosis(state, signal)
  // Not kept: the investigation that may follow reads what there is by then.
  desk.clear(state)
  const [cause] = causes
  if (abstained || !cause || !isAnother(cause, report)) return
  const began = await db.transaction().execute((trx: InvestigationDb) => beginAnew(trx, incidentId, look, clock.now()))
  if (!began) return
  feed.publish(incidentId)
  wake()
}

function isAnother({ service, kind, confidence }: Cause, report: Report): boolean {
  const [known] = report.causes
  return confidence >= SURE_ENOUGH_TO_BEGIN_ANEW && !(known?.service === service && known.kind === kind)
}

/** A decision may have been made meanwhile: it stands, and there is no second look. */
const beginAnew = (trx: InvestigationDb, incidentId: string, look: number, now: number): Promise<boolean> =>
  lookAnew(trx, incidentId, look, now, {
    text: 'Looking again: with what has come in since, another cause shows.',
    reason: 'Another cause showed before it was decided.',
  })

/**
 * Begins look number `look` + 1 at an incident where nothing of ours is under way: a proposal that waits is void for
 * `reason`, and the timeline says `text`. Returns whether it begins. Wake the worker after the commit.
 */
export async function lookAnew(
  trx: InvestigationDb,
  incidentId: string,
  look: number,
  now: number,
  { text, reason }: { readonly text: string; readonly reason: string },
): Promise<boolean> {
  const { state } = await getIncident(trx, incidentId)
  if (!STILL.includes(state)) return false
  const event = { at: now, kind: 'investigating', text }
  const { moved } = await moveIncident(trx, incidentId, 'investigating', {}, event)
  const next = look + 1
  const payload = { incidentId, look: next }
  if (moved) await enqueue(trx, { kind: 'investigate', key: `${incidentId}:${next}`, payload, runAtMs: now })
  await voidPending(trx, incidentId, reason, now)
  return moved
}
