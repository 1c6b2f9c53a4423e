// Moves one incident's graph on as far as it can go now: from its last checkpoint to its end or to something it has to
// wait for. What it waits for is looked up in the database each time, so it does not matter who woke it, or how often.
import { Command } from '@langchain/langgraph'
import type { RunnableConfig } from '@langchain/core/runnables'
import { enqueue } from '../../db/queue.ts'
import { getApproval } from './approvals.ts'
import type { InvestigationContext } from './context.ts'
import type { IncidentGraph, StepName } from './graph.ts'
import type { InvestigationUpdate } from './state.ts'
import { type Wait, wait } from './waits.ts'

export type Walk =
  /** No checkpoint: it was never begun, or is over and forgotten. */
  { readonly kind: 'unknown' } | { readonly kind: 'waiting'; readonly for: Wait } | { readonly kind: 'ended' }

const GO_ON = new Command<true, InvestigationUpdate, StepName | '__start__'>({ resume: true })

/** `begin` is the look to start with, where there is no checkpoint yet; null leaves that alone. */
export async function walkOn(
  context: Pick<InvestigationContext, 'db' | 'clock'>,
  graph: IncidentGraph,
  incidentId: string,
  begin: number | null,
): Promise<Walk> {
  const config: RunnableConfig = { configurable: { thread_id: incidentId } }
  for (;;) {
    const { tasks, config: at } = await graph.getState(config)
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
    const input = waitsFor ? GO_ON : begun ? null : { incidentId, look: begin ?? 1 }
    // `sync`: a step begins only when the checkpoint of the one before is on the disk.
    await graph.invoke(input, { ...config, durability: 'sync', recursionLimit: 50 })
  }
}

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
