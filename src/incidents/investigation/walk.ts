// Moves one incident's graph on as far as it can go now: from its last checkpoint to its end or to something it has to
// wait for. What it waits for is looked up in the database each time, so it does not matter who woke it, or how often.
import { Command } from '@langchain/langgraph'
import type { RunnableConfig } from '@langchain/core/runnables'
import { enqueue } from '../../db/queue.ts'
import { getApproval } from './approvals.ts'
import type { InvestigationContext } from './context.ts'
import type { IncidentGraph, StepName } from './graph.ts'
import type { InvestigationState, InvestigationUpdate } from './state.ts'
import { type Wait, wait } from './waits.ts'

export type Walk =
  /** No checkpoint: it was never begun, or is over and forgotten. */
  { readonly kind: 'unknown' } | { readonly kind: 'waiting'; readonly for: Wait } | { readonly kind: 'ended' }

const GO_ON = new Command<true, InvestigationUpdate, StepName | '__start__'>({ resume: true })

/** Where a walk begins, where it did not begin there already. */
export type Begin =
  | { readonly kind: 'look'; readonly look: number }
  /** With an action that a person asks for: what was read and found before stays as it is. */
  | { readonly kind: 'approval'; readonly approvalId: string }

/** `begin` starts a walk that has no checkpoint yet (or another approval); null only goes on. */
export async function walkOn(
  context: Pick<InvestigationContext, 'db' | 'clock'>,
  graph: IncidentGraph,
  incidentId: string,
  begin: Begin | null,
): Promise<Walk> {
  const config: RunnableConfig = { configurable: { thread_id: incidentId } }
  for (;;) {
    const { tasks, config: at, values } = await graph.getState(config)
    const known = values as Partial<InvestigationState>
    if (begin?.kind === 'approval' && known.approvalId !== begin.approvalId) {
      // Whatever the graph waited for is dropped with this: a proposal that was replaced is void.
      await graph.invoke(enterAt(incidentId, begin.approvalId, known), {
        ...config,
        durability: 'sync',
        recursionLimit: 50,
      })
      continue
    }
    const begun = at.configurable?.['checkpoint_id'] !== undefined
    if (!begun && begin === null) return { kind: 'unknown' }
    // Not `next`: that leaves out a step that was answered, resumed and then cut short.
    if (begun && tasks.length === 0) return { kind: 'ended' }
    const interrupted = tasks.flatMap(({ interrupts }) => interrupts)[0]
    const waitsFor = interrupted && wait.parse(interrupted.value)
    if (waitsFor && !(await isOver(context, waitsFor))) {
      if (waitsFor.kind === 'look') await wakeAt(context, incidentId, waitsFor.atMs)
      return { kind: 'waiting', for: waitsFor }
    }
    const look = begin?.kind === 'look' ? begin.look : 1
    const input = waitsFor ? GO_ON : begun ? null : { incidentId, look, entry: null }
    // `sync`: a step begins only when the checkpoint of the one before is on the disk.
    await graph.invoke(input, { ...config, durability: 'sync', recursionLimit: 50 })
  }
}

/** No further proposal follows what a person asked for. */
const LAST_ROUND = 99

const enterAt = (incidentId: string, approvalId: string, known: Partial<InvestigationState>): InvestigationUpdate => ({
  incidentId,
  look: known.look ?? 1,
  leads: known.leads ?? [],
  round: LAST_ROUND,
  approvalId,
  entry: 'approve',
  acted: false,
  verdict: null,
  lookAtMs: null,
})

async function isOver({ db, clock }: Pick<InvestigationContext, 'db' | 'clock'>, waitsFor: Wait): Promise<boolean> {
  switch (waitsFor.kind) {
    case 'approval': {
      return (await getApproval(db, waitsFor.approvalId)).state !== 'pending'
    }
    case 'look': {
      return clock.now() >= waitsFor.atMs
    }
  }
}

const wakeAt = ({ db }: Pick<InvestigationContext, 'db'>, incidentId: string, atMs: number): Promise<void> =>
  enqueue(db, { kind: 'resume', key: `${incidentId}:look:${atMs}`, payload: { incidentId }, runAtMs: atMs })
