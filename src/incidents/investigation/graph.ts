// The incident graph, read from top to bottom: what happens to every incident, step by step. Each step is checkpointed
// before the next begins, and one that was cut short runs again from its start.
import { END, START, StateGraph } from '@langchain/langgraph'
import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint'
import type { InvestigationContext, Step } from './context.ts'
import { investigationState, type InvestigationState } from './state.ts'
import { SPECIALISTS } from './inquiry/specialists.ts'
import { act } from './steps/act.ts'
import { approve } from './steps/approve.ts'
import { challenge } from './steps/challenge.ts'
import { criticise } from './steps/criticise.ts'
import { diagnose } from './steps/diagnose.ts'
import { gather } from './steps/gather.ts'
import { lead } from './steps/lead.ts'
import { learn } from './steps/learn.ts'
import { lookInto } from './steps/look-into.ts'
import { pause } from './steps/pause.ts'
import { plan } from './steps/plan.ts'
import { report } from './steps/report.ts'
import { triage } from './steps/triage.ts'
import { verify } from './steps/verify.ts'

/** More than this many proposals an incident does not get. */
const MOST_ROUNDS = 2

export const STEPS = [
  'triage',
  'gather',
  'diagnose',
  ...SPECIALISTS,
  'lead',
  'critic',
  'challenge',
  'plan',
  'approve',
  'act',
  'verify',
  'pause',
  'report',
  'learn',
] as const
export type StepName = (typeof STEPS)[number]

/** Runs a step by name: where a signal is added, and where tests cut in. */
export type RunStep = (name: StepName, step: Step, state: InvestigationState) => ReturnType<Step>

export function buildGraph(context: InvestigationContext, checkpointer: BaseCheckpointSaver, run: RunStep) {
  const node = (name: StepName, step: Step) => (state: InvestigationState) => run(name, step, state)
  return (
    new StateGraph(investigationState)
      .addNode('triage', node('triage', triage(context)))
      .addNode('gather', node('gather', gather(context)))
      .addNode('diagnose', node('diagnose', diagnose(context)))
      .addNode('metrics', node('metrics', lookInto(context, 'metrics')))
      .addNode('logs', node('logs', lookInto(context, 'logs')))
      .addNode('changes', node('changes', lookInto(context, 'changes')))
      .addNode('knowledge', node('knowledge', lookInto(context, 'knowledge')))
      .addNode('past', node('past', lookInto(context, 'past')))
      .addNode('gateway', node('gateway', lookInto(context, 'gateway')))
      .addNode('lead', node('lead', lead(context)))
      .addNode('critic', node('critic', criticise(context)))
      .addNode('challenge', node('challenge', challenge(context)))
      .addNode('plan', node('plan', plan(context)))
      .addNode('approve', node('approve', approve(context)))
      .addNode('act', node('act', act(context)))
      .addNode('verify', node('verify', verify(context)))
      .addNode('pause', node('pause', pause(context)))
      .addNode('report', node('report', report(context)))
      .addNode('learn', node('learn', learn(context)))
      .addConditionalEdges(START, ({ entry }) => (entry === 'approve' ? 'approve' : 'triage'), ['approve', 'triage'])
      .addConditionalEdges('triage', ({ window }) => (window === undefined ? END : 'gather'), [END, 'gather'])
      .addEdge('gather', 'diagnose')
      // The specialists look side by side; the lead waits for all of them, and may ask them again.
      .addConditionalEdges('diagnose', () => [...SPECIALISTS], [...SPECIALISTS])
      .addEdge([...SPECIALISTS], 'lead')
      .addConditionalEdges('lead', ({ questions }) => (questions?.length ? [...SPECIALISTS] : 'critic'), [
        ...SPECIALISTS,
        'critic',
      ])
      .addEdge('critic', 'challenge')
      .addEdge('challenge', 'plan')
      .addConditionalEdges('plan', ({ approvalId }) => (approvalId === null ? 'report' : 'approve'), [
        'report',
        'approve',
      ])
      .addConditionalEdges('approve', ({ acted }) => (acted ? 'act' : 'report'), ['act', 'report'])
      .addConditionalEdges('act', ({ acted }) => (acted ? 'verify' : 'report'), ['verify', 'report'])
      .addConditionalEdges('verify', afterVerify, ['pause', 'approve', 'plan', 'report'])
      .addEdge('pause', 'verify')
      .addEdge('report', 'learn')
      .addEdge('learn', END)
      .compile({ checkpointer, name: 'incident' })
  )
}

export type IncidentGraph = ReturnType<typeof buildGraph>

function afterVerify({ lookAtMs, verdict, round }: InvestigationState): 'pause' | 'approve' | 'plan' | 'report' {
  if (lookAtMs !== null) return 'pause'
  // Verifying left the approval of the undo behind where there is one; else it has none.
  if (verdict === 'worse') return 'approve'
  return verdict === 'not_fixed' && round <= MOST_ROUNDS ? 'plan' : 'report'
}
