// What the lab tells of an incident: the sentence first, how sure and why, what is proposed and how to decide, and at
// the end what had really been done.
import type { Evidence } from '../src/diagnosis/evidence.ts'
import type { IncidentView } from '../src/incidents/view.ts'
import type { GroundTruth } from './faults/fault.ts'
import { counted, type Narrator } from './narrator.ts'

const SHOWN_EVIDENCE = 4

/** The answer: sentence, confidence, the strongest evidence; or that there is none. */
export function tellDiagnosis(narrator: Narrator, view: IncidentView): void {
  const { report } = view
  if (!report) return
  narrator.say(view.sentence, 'bold')
  narrator.gap()
  const [cause, second] = report.causes
  if (!cause || report.abstained) {
    narrator.say('Midwatch does not name a cause. What would settle it:')
    for (const missing of report.missing) narrator.item(missing)
    return
  }
  narrator.say(`Confidence ${cause.confidence.toFixed(2)}. What speaks for it:`)
  for (const { claim } of strongest(cause.evidence)) narrator.item(claim)
  for (const { claim } of cause.against.slice(0, 1)) narrator.item(`against it: ${claim}`)
  if (second)
    narrator.say(`Next in line: ${second.service}, ${kindWords(second.kind)} (${second.confidence.toFixed(2)}).`)
  const { series, logLines, changes, tookMs } = report.looked
  narrator.say(
    `Looked at ${series} series, ${logLines} log lines and ${counted(changes, 'change')} in ${(tookMs / 1000).toFixed(1)} s.`,
    'dim',
  )
}

const strongest = (evidence: readonly Evidence[]): readonly Evidence[] =>
  [...evidence].sort((a, b) => b.weight - a.weight).slice(0, SHOWN_EVIDENCE)

/** The proposal and its risk. False when there is none. */
export function tellProposal(narrator: Narrator, view: IncidentView): boolean {
  const { approval } = view
  if (!approval) return false
  const { action } = approval
  narrator.say(`Proposed: ${action.title}`, 'bold')
  narrator.pair('Expected', action.expected)
  narrator.pair('Undo', action.undo)
  narrator.pair('Touches', action.touches)
  narrator.pair(
    'Risk',
    `${action.risk} of 10${action.riskReasons.length > 0 ? ` (${action.riskReasons.join('; ')})` : ''}`,
  )
  narrator.pair('If nothing', action.ifNothing)
  return true
}

export interface Verdict {
  readonly serviceCorrect: boolean
  readonly kindCorrect: boolean
}

/** What was named beside what had been injected. */
export function judge(view: IncidentView | undefined, truth: Pick<GroundTruth, 'service' | 'kind'>): Verdict {
  const cause = view?.report?.abstained ? undefined : view?.report?.causes[0]
  return { serviceCorrect: cause?.service === truth.service, kindCorrect: cause?.kind === truth.kind }
}

/** Told only after the answer. */
export function tellTruth(narrator: Narrator, view: IncidentView, truth: GroundTruth): void {
  const { serviceCorrect, kindCorrect } = judge(view, truth)
  const cause = view.report?.abstained ? undefined : view.report?.causes[0]
  narrator.say('What had really been done:', 'bold')
  narrator.pair('Injected', `${truth.service}: ${kindWords(truth.kind)} (the lab calls it ${truth.fault})`)
  narrator.pair('Named', cause ? `${cause.service}: ${kindWords(cause.kind)}` : 'no cause')
  if (serviceCorrect && kindCorrect) narrator.say('Service and kind are right.', 'good')
  else if (serviceCorrect) narrator.say('The service is right, the kind is not.', 'notice')
  else narrator.say(cause ? 'That was wrong.' : 'It was left open.', 'bad')
}

const kindWords = (kind: string): string => kind.replaceAll('_', ' ')
