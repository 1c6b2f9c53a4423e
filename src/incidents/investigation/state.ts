// What an investigation remembers from one step to the next: references and small values. What was read of the running
// system is not in here; it is kept in memory and read again after a crash (desk.ts).
import { Annotation } from '@langchain/langgraph'
import type { MetricQuery } from '../../core/telemetry.ts'
import type { LeadQuestion } from './inquiry/note.ts'

/** The time that is looked at. All ms since the epoch. */
export interface Window {
  /** When the first alert began. */
  readonly alertAtMs: number
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
}

export interface Symptom {
  readonly service: string
  readonly name: string
  readonly startsAtMs: number
}

/** One leading piece of evidence, in the form in which it can be asked again after an action. */
export interface Lead {
  /** The name of the metric source. */
  readonly source: string
  /** What has to be asked to compute it. */
  readonly queries: readonly MetricQuery[]
  readonly service: string
  readonly metric: string
  readonly labels: Readonly<Record<string, string>>
  readonly unit: string
  readonly before: number
  readonly after: number
}

/** How the incident looks after an action. */
export type Verdict =
  /** No alert fires and the numbers are back. */
  | 'fixed'
  /** The numbers are back, but alerts still fire. */
  | 'numbers_back'
  | 'not_fixed'
  /** Further away than when the action was carried out. */
  | 'worse'

export const investigationState = Annotation.Root({
  incidentId: Annotation<string>,
  /** Counts investigations of the same incident, from 1. */
  look: Annotation<number>,
  startedAtMs: Annotation<number>,
  window: Annotation<Window>,
  symptoms: Annotation<readonly Symptom[]>,
  leads: Annotation<readonly Lead[]>,
  /** Counts the questions to the specialists from 1; what they are asked in a later round. */
  inquiryRound: Annotation<number | undefined>,
  questions: Annotation<readonly LeadQuestion[] | undefined>,
  /** Of the services that are named as causes, those that series were read of. */
  measured: Annotation<readonly string[] | undefined>,
  /** Counts proposals of this look: the second is the last. */
  round: Annotation<number>,
  /** The approval of this round, or null when nothing was proposed. */
  approvalId: Annotation<string | null>,
  /** Whether the action of this round may have had an effect. */
  acted: Annotation<boolean>,
  actedAtMs: Annotation<number>,
  /** How far the leads were away, and how many alerts fired, when the action was carried out. */
  awayAtAct: Annotation<readonly (number | null)[] | undefined>,
  firingAtAct: Annotation<number | undefined>,
  /** Looks in a row at which it was worse than then. */
  worseLooks: Annotation<number | undefined>,
  /** Where a walk enters the graph: at its begin, unless a person asked for an action. */
  entry: Annotation<'approve' | null | undefined>,
  /** When to look again; null when the looking is over. */
  lookAtMs: Annotation<number | null>,
  verdict: Annotation<Verdict | null>,
})

export type InvestigationState = typeof investigationState.State
export type InvestigationUpdate = typeof investigationState.Update
