// Eighth step: looks again, until nothing fires and the numbers that showed the cause are back, or the time is over.
// Then it says what it saw, also when the action did not help.
import { moveIncident } from '../../store.ts'
import { actionOf, getApproval } from '../approvals.ts'
import { closeIncident } from '../closing.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { countFiring, getIncident, lastVerdict } from '../incident.ts'
import { lookAtLeads, type Level } from '../leads.ts'
import { planLookAfterAction } from '../second-look.ts'
import { capital, duration } from '../sentence.ts'
import type { InvestigationUpdate, Verdict } from '../state.ts'

export const verify = (context: InvestigationContext): Step =>
  async function lookAgain(state, signal) {
    const { db, clock, config, sources, feed, wake } = context
    const { incidentId, approvalId, leads, window, actedAtMs } = state
    if (approvalId === null) return { lookAtMs: null }
    const told = await toldBefore(db, incidentId)
    if (told) return endWith(told, state.round)
    const numbers = await lookAtLeads(leads, sources.metrics, window.stepMs, clock, signal)
    const now = clock.now()
    const { undo } = actionOf(await getApproval(db, approvalId))
    const verdict = await db.transaction().execute(async (trx: InvestigationDb) => {
      // Counted where it is closed: an alert that joined in between would be closed away while it fires.
      const firing = await countFiring(trx, incidentId)
      const judged = judge(firing, numbers, now >= actedAtMs + config.verify.withinSeconds * 1000)
      if (judged === null) return null
      const text = tell(judged, firing, numbers, now - actedAtMs, undo)
      if (judged === 'fixed') {
        await closeIncident(context, trx, incidentId, 'fixed', text)
        return judged
      }
      const event = { at: now, kind: 'verified', text, data: { verdict: judged } }
      const { moved } = await moveIncident(trx, incidentId, 'watching', {}, event)
      if (moved) await planLookAfterAction(trx, incidentId, state.look, state.round, now)
      return judged
    })
    if (verdict === null) return { lookAtMs: now + config.verify.everySeconds * 1000 }
    feed.publish(incidentId)
    wake()
    return endWith(verdict, state.round)
  }

/** What was told before a crash came between the telling and the next step. */
async function toldBefore(db: InvestigationDb, incidentId: string): Promise<Verdict | undefined> {
  const { state } = await getIncident(db, incidentId)
  if (state === 'verifying') return undefined
  if (state === 'closed') return 'fixed'
  return (await lastVerdict(db, incidentId)) ?? 'not_fixed'
}

const endWith = (verdict: Verdict, round: number): InvestigationUpdate => ({
  verdict,
  lookAtMs: null,
  round: verdict === 'not_fixed' ? round + 1 : round,
})

/** null: look again later. */
function judge(firing: number, numbers: Level, timeIsOver: boolean): Verdict | null {
  if (firing === 0 && numbers !== 'away') return 'fixed'
  if (!timeIsOver) return null
  return numbers === 'back' ? 'numbers_back' : 'not_fixed'
}

function tell(verdict: Verdict, firing: number, numbers: Level, tookMs: number, undo: string): string {
  const alerts =
    firing === 0 ? 'no alert fires any more' : `${firing} ${firing === 1 ? 'alert still fires' : 'alerts still fire'}`
  switch (verdict) {
    case 'fixed': {
      const seen = numbers === 'back' ? 'the numbers are back to normal and ' : ''
      return `Fixed: ${seen}${alerts}, ${duration(tookMs)} after the action.`
    }
    case 'numbers_back': {
      return `The numbers are back to normal, but ${alerts} ${duration(tookMs)} after the action. Watching until they end.`
    }
    case 'not_fixed': {
      if (firing === 0)
        return `${capital(alerts)} ${duration(tookMs)} after the action, but the numbers are not back to normal. To undo it: ${undo}`
      const seen = numbers === 'away' ? 'the numbers are not back to normal and ' : ''
      return `It did not help: ${seen}${alerts} ${duration(tookMs)} after the action. To undo it: ${undo}`
    }
  }
}
