// Brings together what the steps of the inquiry noted: every claim of a model is asked for again, what is left votes, and the
// lines that the leading cause gained become evidence of it, in the words that code wrote.
import { evidenceRef, type Cause, type Evidence } from '../../../diagnosis/evidence.ts'
import type { InvestigationContext } from '../context.ts'
import { addSpent, NOTHING_SPENT } from '../model/purse.ts'
import { SURE_ENOUGH } from '../sentence.ts'
import type { Witnesses } from '../recheck.ts'
import type { Deliberation } from './deliberation.ts'
import type { Hypothesis, Note } from './note.ts'
import { resolveHypothesis } from './resolve.ts'
import { vote } from './vote.ts'

/** Lines that a report gains from models. */
const MOST_GAINED = 4
const MOST_VOTES = 20

export interface Deliberated {
  readonly causes: readonly Cause[]
  readonly deliberation: Deliberation
}

export async function deliberate(
  context: InvestigationContext,
  tenant: string,
  causes: readonly Cause[],
  notes: readonly Note[],
  witnesses: Witnesses,
  signal: AbortSignal,
): Promise<Deliberated> {
  let removed = notes.reduce((sum, note) => sum + note.removed, 0)
  const opinions: { step: string; hypothesis: Hypothesis }[] = []
  // Of a specialist that was asked twice, the later word counts.
  const last = new Map(notes.filter(({ hypotheses }) => hypotheses.length > 0).map((note) => [note.step, note]))
  for (const { step, hypotheses } of last.values()) {
    for (const one of hypotheses) {
      const resolved = await resolveHypothesis(context, tenant, one, witnesses, signal)
      removed += resolved.removed
      if (resolved.hypothesis) opinions.push({ step, hypothesis: resolved.hypothesis })
    }
  }
  const objections = notes.flatMap((note) => note.objections)
  const voted = vote({ causes, opinions, objections, actAbove: SURE_ENOUGH })
  const spent = notes.reduce((sum, note) => addSpent(sum, note.spent), NOTHING_SPENT)
  return {
    causes: voted.causes.map((cause, i) => (i === 0 ? withGained(cause, opinions) : cause)),
    deliberation: {
      rounds: Math.max(1, ...notes.map(({ round }) => round)),
      stopped: notes.findLast(({ step }) => step === 'lead')?.stopped ?? 'everything was asked',
      votes: voted.votes.slice(0, MOST_VOTES).map((one) => ({ ...one })),
      objections: [...objections],
      reordered: voted.reordered,
      claimsRemoved: removed,
      spent: {
        modelCalls: spent.modelCalls,
        toolCalls: spent.toolCalls,
        tokens: spent.tokens,
        costUsd: spent.unpriced > 0 ? null : spent.costMicroUsd / 1e6,
      },
    },
  }
}

function withGained(cause: Cause, opinions: readonly { hypothesis: Hypothesis }[]): Cause {
  const known = new Set(cause.evidence.map(({ ref }) => subjectOf(ref)))
  const gained: Evidence[] = []
  for (const { hypothesis } of opinions) {
    if (hypothesis.service !== cause.service || hypothesis.kind !== cause.kind) continue
    for (const { text, ref, strength } of hypothesis.claims) {
      const cited = evidenceRef.safeParse(ref)
      // What is normal shows nothing.
      if (!cited.success || strength <= 0 || gained.length === MOST_GAINED) continue
      const subject = subjectOf(cited.data)
      if (known.has(subject)) continue
      known.add(subject)
      gained.push({ id: `m${gained.length + 1}`, claim: text, weight: 0, ref: cited.data })
    }
  }
  return gained.length === 0 ? cause : { ...cause, evidence: [...cause.evidence, ...gained] }
}

function subjectOf(ref: Evidence['ref']): string {
  switch (ref.kind) {
    case 'series':
      return `series ${ref.service} ${ref.metric} ${ref.query}`
    case 'log':
      return `log ${ref.service} ${ref.template}`
    case 'change':
      return `change ${ref.id}`
    case 'topology':
      return `path ${ref.path.join(' ')}`
  }
}
