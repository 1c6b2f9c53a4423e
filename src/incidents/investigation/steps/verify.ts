// Looks again at the symptom itself, until nothing fires and the numbers that showed the cause are back, or the
// time is over. Then it says what it saw, also when the action did not help; what made things worse is taken back.
import { moveIncident } from '../../store.ts'
import type { ApprovalRow } from '../../tables.ts'
import { planNews } from '../../telling/news.ts'
import { findEntry } from '../acting/request.ts'
import { askPromql, compare } from '../acting/preconditions.ts'
import { proposeUndo, undoIdOf } from '../acting/undo.ts'
import { actionOf, getApproval } from '../approvals.ts'
import { closeIncident } from '../closing.ts'
import type { InvestigationContext, InvestigationDb, Step } from '../context.ts'
import { countFiring, getIncident, lastVerdict } from '../incident.ts'
import { isWorse, lookAtLeads, type LeadsNow } from '../leads.ts'
import { planLookAfterAction } from '../second-look.ts'
import { capital, duration } from '../sentence.ts'
import type { InvestigationState, InvestigationUpdate, Verdict } from '../state.ts'

export const verify = (context: InvestigationContext): Step =>
  async function lookAgain(state, signal) {
    const { db, clock, config, sources, feed, wake } = context
    const { incidentId, approvalId, leads, window, actedAtMs } = state
    if (approvalId === null) return { lookAtMs: null }
    const told = await toldBefore(db, state)
    if (told) return told
    const approval = await getApproval(db, approvalId)
    const numbers = await lookAtLeads(leads, sources.metrics, window?.stepMs ?? 15_000, clock, signal)
    const asked = await askVerification(context, approval, signal)
    const now = clock.now()
    const { undo } = actionOf(approval)
    const takesBack = approval.undo_of !== null
    const looked = await db.transaction().execute(async (trx: InvestigationDb) => {
      // Counted where it is closed: an alert that joined in between would be closed away while it fires.
      const firing = await countFiring(trx, incidentId)
      const worse = !takesBack && isWorseNow(state, numbers, firing)
      const worseLooks = worse ? (state.worseLooks ?? 0) + 1 : 0
      const share = (now - actedAtMs) / (config.verify.withinSeconds * 1000)
      const judged = judge({ firing, numbers, asked, share, worse, worseLooks })
      if (judged === null) return { kind: 'again', worseLooks } as const
      const text = tell(judged, { firing, numbers, asked, tookMs: now - actedAtMs, undo, takesBack })
      // What turned out meanwhile never to have arrived has done neither good nor harm.
      const run = await trx
        .updateTable('action_runs')
        .set({ verdict: judged })
        .where('id', '=', approvalId)
        .where('state', '!=', 'failed')
        .executeTakeFirst()
      const arrived = run.numUpdatedRows > 0n
      if (judged === 'fixed') {
        const byUs = arrived && !takesBack
        await closeIncident(context, trx, incidentId, byUs ? 'fixed' : 'recovered', arrived ? text : BY_ITSELF)
        return { kind: 'told', update: endWith(judged, state.round) } as const
      }
      const event = { at: now, kind: 'verified', text, data: { verdict: judged } }
      const details = { approvalId: approval.id, verdict: judged }
      await planNews(trx, incidentId, { kind: 'verified', at: now, details, once: approval.id })
      if (judged === 'worse' && arrived) {
        const undoId = await proposeUndo(context, trx, approval, event)
        if (undoId !== undefined) return { kind: 'told', update: goOnWith(undoId) } as const
      }
      const { moved } = await moveIncident(trx, incidentId, 'watching', {}, event)
      if (moved) await planLookAfterAction(trx, incidentId, state.look, state.round, now)
      return { kind: 'told', update: endWith(judged, state.round) } as const
    })
    if (looked.kind === 'again')
      return { lookAtMs: now + config.verify.everySeconds * 1000, worseLooks: looked.worseLooks }
    feed.publish(incidentId)
    wake()
    return looked.update
  }

/** What was told before a crash came between the telling and the next step. */
async function toldBefore(
  db: InvestigationDb,
  { incidentId, approvalId, round }: InvestigationState,
): Promise<InvestigationUpdate | undefined> {
  const { state } = await getIncident(db, incidentId)
  if (state === 'verifying') return undefined
  if (state === 'closed') return endWith('fixed', round)
  const undoId = undoIdOf(approvalId ?? '')
  const undo = await db.selectFrom('approvals').select('id').where('id', '=', undoId).executeTakeFirst()
  if (undo) return goOnWith(undo.id)
  return endWith((await lastVerdict(db, incidentId)) ?? 'not_fixed', round)
}

/** Nothing is left to take back: what made it worse did not help either. */
const endWith = (verdict: Verdict, round: number): InvestigationUpdate => ({
  verdict: verdict === 'worse' ? 'not_fixed' : verdict,
  lookAtMs: null,
  round: verdict === 'not_fixed' || verdict === 'worse' ? round + 1 : round,
})

const goOnWith = (undoId: string): InvestigationUpdate => ({
  verdict: 'worse',
  approvalId: undoId,
  acted: false,
  lookAtMs: null,
})

/** What the catalogue's own question says; undefined when there is none, or nobody answers it. */
async function askVerification(
  context: InvestigationContext,
  approval: ApprovalRow,
  signal: AbortSignal,
): Promise<{ readonly holds: boolean; readonly text: string } | undefined> {
  const action = actionOf(approval)
  const wanted = findEntry(context.config.actions, action.name)?.verify
  if (!wanted) return undefined
  try {
    const { value, query } = await askPromql(context, wanted.query, { ...action.parameters, run: approval.id }, signal)
    if (value === undefined) return undefined
    return {
      holds: compare(value, wanted.is, wanted.value),
      text: `${query} is ${value}, wanted ${wanted.is} ${wanted.value}`,
    }
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

function isWorseNow({ awayAtAct = [], firingAtAct }: InvestigationState, numbers: LeadsNow, firing: number): boolean {
  if (isWorse(awayAtAct, numbers.away)) return true
  // Without numbers the alerts have to tell.
  return numbers.level === 'unknown' && firingAtAct !== undefined && firing > firingAtAct
}

const BY_ITSELF = 'Closed: all alerts ended without an action of ours.'

interface Seen {
  readonly firing: number
  readonly numbers: LeadsNow
  readonly asked: { readonly holds: boolean; readonly text: string } | undefined
}

/** An action may shake things up before it helps: this many looks in a row, and this share of the time, are waited for. */
const WORSE_LOOKS = 3
const WORSE_SHARE = 0.5

/** null: look again later. */
function judge({
  firing,
  numbers,
  asked,
  share,
  worse,
  worseLooks,
}: Seen & { readonly share: number; readonly worse: boolean; readonly worseLooks: number }): Verdict | null {
  if (firing === 0 && numbers.level !== 'away' && asked?.holds !== false) return 'fixed'
  if (worseLooks >= WORSE_LOOKS && share >= WORSE_SHARE) return 'worse'
  if (share < 1) return null
  if (worse) return 'worse'
  return numbers.level === 'back' && asked?.holds !== false ? 'numbers_back' : 'not_fixed'
}

function tell(
  verdict: Verdict,
  {
    firing,
    numbers,
    asked,
    tookMs,
    undo,
    takesBack,
  }: Seen & { readonly tookMs: number; readonly undo: string; readonly takesBack: boolean },
): string {
  const after = `${duration(tookMs)} after ${takesBack ? 'it was taken back' : 'the action'}`
  const alerts =
    firing === 0 ? 'no alert fires any more' : `${firing} ${firing === 1 ? 'alert still fires' : 'alerts still fire'}`
  const unmet = asked?.holds === false ? ` ${asked.text}.` : ''
  const back = takesBack ? '' : ` To undo it: ${undo}`
  switch (verdict) {
    case 'fixed': {
      const seen = numbers.level === 'back' ? 'the numbers are back to normal and ' : ''
      return `${takesBack ? 'Ended' : 'Fixed'}: ${seen}${alerts}, ${after}.`
    }
    case 'numbers_back': {
      return `The numbers are back to normal, but ${alerts} ${after}. Watching until they end.`
    }
    case 'worse': {
      return `It made things worse: ${numbers.level === 'away' ? 'the numbers are further from normal than before, and ' : ''}${alerts} ${after}.${back}`
    }
    case 'not_fixed': {
      if (firing === 0 && numbers.level === 'away')
        return `${capital(alerts)} ${after}, but the numbers are not back to normal.${unmet}${back}`
      const seen = numbers.level === 'away' ? 'the numbers are not back to normal and ' : ''
      return `It did not help: ${seen}${alerts} ${after}.${unmet}${back}`
    }
  }
}
