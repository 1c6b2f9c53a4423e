// The on-call agent's second half in one piece: the handlers that the job queue runs, the decisions that people make,
// and the topology that folding asks for. One incident is worked on by one handler at a time.
import { Histogram } from 'prom-client'
import { z } from 'zod'
import { createKeyedLock } from '../../core/keyed-lock.ts'
import type { Edge } from '../../core/telemetry.ts'
import { describeError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { Job, JobHandler } from '../../db/queue.ts'
import { diagnose } from '../../diagnosis/diagnose.ts'
import type { Metrics } from '../../observe/metrics.ts'
import { listChanges } from '../changes.ts'
import { planToCatchUp, remember } from '../memory/keep.ts'
import type { DryRunView } from '../view.ts'
import { askForAction, type Asked } from './acting/ask.ts'
import { dryRun, type DryRunRequest } from './acting/dry-run.ts'
import { reconcile } from './acting/reconcile.ts'
import { decide, expire, type Decision } from './approvals.ts'
import type { CheckpointTables } from './checkpoint-tables.ts'
import { KyselyCheckpointSaver } from './checkpointer.ts'
import { settle } from './closing.ts'
import type { InvestigationContext, ListChanges } from './context.ts'
import { createDesk } from './desk.ts'
import { giveFeedback, type Feedback } from './feedback.ts'
import { giveUp } from './give-up.ts'
import { buildGraph, type RunStep } from './graph.ts'
import { getIncident } from './incident.ts'
import { openInquiry } from './inquiry/inquiry.ts'
import { readAll } from './read.ts'
import { lookAgain } from './second-look.ts'
import { createTopologyMemory } from './topology.ts'
import { type Begin, walkOn } from './walk.ts'

type Made = 'desk' | 'topology' | 'observeDuration'
type Given = 'changes' | 'diagnose'

export interface InvestigatorOptions
  extends Omit<InvestigationContext, Made | Given>, Partial<Pick<InvestigationContext, Given>> {
  readonly checkpointDb: Db<CheckpointTables>
  readonly metrics: Metrics
  /** How a step is run; as it is unless told. */
  readonly runStep?: RunStep
}

type HandledJob = 'investigate' | 'resume' | 'requested' | 'reconcile' | 'again' | 'recovered' | 'expire' | 'remember'

export interface Investigator {
  readonly handlers: Readonly<Record<HandledJob, JobHandler>>
  /** Who calls whom, as far as it is known now. */
  topology(): readonly Edge[]
  /** Records what a person decided about a proposal; see approvals.ts. */
  decide(decision: Decision): Promise<{ readonly needed: number }>
  /** A person asks for an action; see acting/ask.ts. Returns the approval's id. */
  askForAction(asked: Asked, signal: AbortSignal): Promise<string>
  /** What would happen; see acting/dry-run.ts. */
  dryRun(request: DryRunRequest, signal: AbortSignal): Promise<DryRunView>
  /** Records what a person says about the diagnosis. */
  giveFeedback(feedback: Feedback): Promise<void>
  /** Begins to keep the topology fresh, and keeps as cases what closed before there were any. */
  start(): void
  stop(): Promise<void>
}

/** A job that failed this often is given up and its incident told so. Less than the queue's own limit. */
const GIVE_UP_AFTER = 8
const TOPOLOGY_EVERY_MS = 60_000
/** Until something is known, as at the start of everything. */
const TOPOLOGY_FIRST_MS = 5000

const aboutIncident = z.object({ incidentId: z.string() })
const aboutLook = z.object({ look: z.number().int().default(1) })
/** Without an incident: all that were not kept yet. */
const aboutCase = z.object({ incidentId: z.string().optional() })
const aboutApproval = z.object({ approvalId: z.string() })

export function createInvestigator(options: InvestigatorOptions): Investigator {
  const { db, config, clock, log, metrics, sources, runStep } = options
  const changes: ListChanges = options.changes ?? ((query) => listChanges(db, query))
  const analyse = options.diagnose ?? diagnose
  keepTracingOff()
  const seconds = new Histogram({
    name: 'midwatch_investigation_seconds',
    help: 'From the begin of an investigation to its report.',
    buckets: [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300],
    registers: [metrics],
  })
  const topology = createTopologyMemory(config.services, clock, log)
  const desk = createDesk({
    read: async ({ incidentId, window }, signal) => {
      const { tenant } = await getIncident(db, incidentId)
      return await readAll({ ...options, changes, topology }, tenant, window, signal)
    },
    diagnose: ({ window, symptoms }, { series, logs, changes, topology }) =>
      analyse({
        alertAtMs: window.alertAtMs,
        stepMs: window.stepMs,
        symptoms,
        series,
        logs,
        changes,
        topology,
      }),
    inquire: (state, readings, diagnosis) => openInquiry(context, state, readings, diagnosis),
  })
  const context: InvestigationContext = {
    ...options,
    changes,
    diagnose: analyse,
    desk,
    topology,
    observeDuration: (value) => seconds.observe(value),
  }
  const saver = new KyselyCheckpointSaver(options.checkpointDb)
  const lock = createKeyedLock()
  const stopping = new AbortController()
  /** The signal of the handler that works on an incident: the graph has no place for one that lets a step finish. */
  const signals = new Map<string, AbortSignal>()
  const graph = buildGraph(context, saver, async (name, step, state) => {
    const signal = signals.get(state.incidentId) ?? stopping.signal
    signal.throwIfAborted()
    log.debug({ incident: state.incidentId, step: name }, 'a step begins')
    const withSignal = (at: typeof state) => step(at, signal)
    return runStep ? await runStep(name, withSignal, state) : await withSignal(state)
  })

  const walk = async (incidentId: string, signal: AbortSignal, begin: Begin | null = null): Promise<void> => {
    signals.set(incidentId, signal)
    try {
      const { kind } = await walkOn(context, graph, incidentId, begin)
      if (kind === 'ended' && (await getIncident(db, incidentId)).state === 'closed')
        await saver.deleteThread(incidentId)
    } finally {
      signals.delete(incidentId)
    }
  }

  type IncidentWork = (incidentId: string, signal: AbortSignal, job: Job) => Promise<void>

  /** Runs work on one incident alone. */
  const alone =
    (work: IncidentWork): JobHandler =>
    (job, signal) => {
      const { incidentId } = aboutIncident.parse(job.payload)
      return lock(incidentId, () => work(incidentId, signal, job))
    }

  /** The same for work without which an incident would hang: when it fails for good, the incident ends honestly. */
  const vital = (work: IncidentWork): JobHandler =>
    alone(async (incidentId, signal, job) => {
      try {
        await work(incidentId, signal, job)
      } catch (error) {
        if (signal.aborted || job.attempts < GIVE_UP_AFTER) throw error
        log.error({ err: error, incident: incidentId, job: job.id }, 'an investigation failed for good')
        await giveUp(context, incidentId, describeError(error))
      }
    })

  let refreshing: Promise<void> | undefined
  let catchingUp: Promise<void> | undefined
  const keepTopologyFresh = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await topology.refresh(sources.metrics, stopping.signal).catch(() => undefined)
      const pauseMs = topology.edges().length === 0 ? TOPOLOGY_FIRST_MS : TOPOLOGY_EVERY_MS
      await clock.sleep(pauseMs, stopping.signal).catch(() => undefined)
    }
  }

  return {
    handlers: {
      investigate: vital(async (incidentId, signal, job) => {
        if ((await getIncident(db, incidentId)).state === 'closed') return
        const { look } = aboutLook.parse(job.payload)
        const known = (await graph.getState({ configurable: { thread_id: incidentId } })).values as { look?: number }
        // An earlier look is over wherever it stands: what waited in it is void.
        if (known.look !== undefined && known.look < look) await saver.deleteThread(incidentId)
        await walk(incidentId, signal, { kind: 'look', look })
      }),
      resume: vital((incidentId, signal) => walk(incidentId, signal)),
      requested: vital(async (incidentId, signal, job) => {
        const { approvalId } = aboutApproval.parse(job.payload)
        await walk(incidentId, signal, { kind: 'approval', approvalId })
      }),
      reconcile: (job, signal) => reconcile(context, aboutApproval.parse(job.payload).approvalId, signal),
      again: alone((incidentId, signal, job) =>
        lookAgain(context, incidentId, aboutLook.parse(job.payload).look, signal),
      ),
      recovered: vital(async (incidentId, signal) => {
        await settle(context, incidentId)
        await walk(incidentId, signal)
      }),
      expire: (job) => expire(context, aboutApproval.parse(job.payload).approvalId),
      remember: (job, signal) =>
        remember(db, aboutCase.parse(job.payload).incidentId, config.memory, clock.now(), signal),
    },
    topology: () => topology.edges(),
    decide: (decision) => decide(context, decision),
    askForAction: (asked, signal) => askForAction(context, asked, signal),
    dryRun: (request, signal) => dryRun(context, request, signal),
    giveFeedback: (feedback) => giveFeedback(context, feedback),
    start: () => {
      refreshing ??= keepTopologyFresh()
      catchingUp ??= planToCatchUp(db, clock.now()).catch((error: unknown) =>
        log.error(
          { err: error },
          'incidents that closed before cannot be kept as cases now; the next start tries again',
        ),
      )
    },
    stop: async () => {
      stopping.abort(new Error('Midwatch is stopping'))
      await refreshing
      await catchingUp
    },
  }
}

/**
 * LangChain sends every run to a tracing service when one of these is set in the environment, for whatever reason it is.
 * What is read of a running system does not leave it by such a side door.
 */
function keepTracingOff(): void {
  for (const name of ['LANGSMITH_TRACING', 'LANGSMITH_TRACING_V2', 'LANGCHAIN_TRACING', 'LANGCHAIN_TRACING_V2'])
    delete process.env[name]
}
