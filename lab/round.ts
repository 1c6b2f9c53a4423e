// One round of a drill: break, wait for the answer, approve, wait for the end, heal, and let things come to rest so
// that the next round is compared with a healthy past.
import { setTimeout as wait } from 'node:timers/promises'
import type { IncidentView } from '../src/incidents/view.ts'
import type { Fault } from './faults/fault.ts'
import type { Lab } from './lab.ts'
import type { Random } from './platform/random.ts'
import { readAlerts } from './records.ts'
import { type DrillRound, makeRow } from './score.ts'
import {
  openIncidents,
  waitForClose,
  waitForDiagnosis,
  waitForIncident,
  waitForProposal,
  waitForQuiet,
} from './walk.ts'

export interface RoundContext {
  readonly lab: Lab
  readonly random: Random
  readonly seed: number
  readonly approve: boolean
  /** Progress, a line at a time. */
  readonly tell: (text: string) => void
  readonly signal: AbortSignal
}

const INCIDENT_MS = 120_000
const DIAGNOSIS_MS = 90_000
const PROPOSAL_MS = 30_000
const CLOSE_MS = 180_000
const QUIET_MS = 120_000
/** With the healthy seconds at the end of a round, most of what the next diagnosis compares with. */
const REST_MS = 45_000
const CONTROL_MS = 60_000

/** Breaks, waits, approves, heals. Throws when the signal aborts; heals even then. */
export async function playRound(fault: Fault, context: RoundContext): Promise<DrillRound> {
  const { lab, random, tell, signal } = context
  await beginQuiet(context)
  if (random.next() < 0.4) await redHerring(context)
  const truth = await lab.inject(fault, random)
  const sinceMs = truth.startedAt
  try {
    const view = await diagnosed(sinceMs, fault, context)
    const cause = view?.report?.abstained ? undefined : view?.report?.causes[0]
    const named = cause ? { service: cause.service, kind: cause.kind } : null
    const seconds = view?.report ? (view.report.diagnosedAt - sinceMs) / 1000 : null
    tell(`   ${view ? view.sentence : 'no incident was opened'}${seconds === null ? '' : ` (${seconds.toFixed(0)} s)`}`)
    const mended = view && context.approve ? await mend(view, context) : null
    const { alerts, incidents } = await count(lab, sinceMs)
    return {
      row: makeRow({
        fault: fault.name,
        seed: context.seed,
        injected: { service: truth.service, kind: truth.kind },
        named,
        confidence: cause?.confidence ?? null,
        secondsToDiagnosis: seconds === null ? null : Math.round(seconds * 10) / 10,
        alerts,
        incidents,
      }),
      mended,
    }
  } finally {
    await fault.heal(lab.platform)
    if (!signal.aborted) await comeToRest(context)
  }
}

/** Nothing is broken, only a harmless release goes out: the right answer is silence. */
export async function quietRound(context: RoundContext): Promise<DrillRound> {
  const { lab, seed, signal } = context
  const sinceMs = Date.now()
  await redHerring(context)
  await wait(CONTROL_MS, undefined, { signal })
  const [first] = await lab.agent.incidentsSince(sinceMs)
  const view = first
    ? await waitForDiagnosis(lab.agent, first.id, { untilMs: Date.now() + DIAGNOSIS_MS, signal })
    : undefined
  const cause = view?.report?.abstained ? undefined : view?.report?.causes[0]
  const { alerts, incidents } = await count(lab, sinceMs)
  return {
    row: makeRow({
      fault: 'none',
      seed,
      injected: null,
      named: cause ? { service: cause.service, kind: cause.kind } : null,
      confidence: cause?.confidence ?? null,
      secondsToDiagnosis: null,
      alerts,
      incidents,
    }),
    mended: null,
  }
}

/** A healthy while, before the next round. */
export const steady = (ms: number, signal: AbortSignal): Promise<void> => wait(ms, undefined, { signal })

async function redHerring({ lab, random, tell, signal }: RoundContext): Promise<void> {
  const { service } = await lab.platform.harmlessDeploy(random)
  tell(`   a harmless release of ${service}`)
  await wait(random.int(5, 20) * 1000, undefined, { signal })
}

async function diagnosed(
  sinceMs: number,
  fault: Fault,
  { lab, signal }: RoundContext,
): Promise<IncidentView | undefined> {
  const untilMs = Date.now() + INCIDENT_MS + fault.minSeconds * 1000
  const first = await waitForIncident(lab.agent, sinceMs, { untilMs, signal })
  if (!first) return undefined
  return waitForDiagnosis(lab.agent, first.id, { untilMs: Date.now() + DIAGNOSIS_MS, signal })
}

/** True when the approved action was carried out and verified, null when nothing was proposed. */
async function mend(view: IncidentView, { lab, tell, signal }: RoundContext): Promise<boolean | null> {
  const proposed = await waitForProposal(lab.agent, view.id, { untilMs: Date.now() + PROPOSAL_MS, signal })
  if (!proposed?.approval) {
    tell(`   nothing was proposed within ${PROPOSAL_MS / 1000} s`)
    return null
  }
  if (!(await lab.agent.approve(proposed))) {
    tell('   the proposal was withdrawn before it was approved')
    return null
  }
  tell(`   approved: ${proposed.approval.action.title}`)
  const closed = await waitForClose(lab.agent, view.id, { untilMs: Date.now() + CLOSE_MS, signal })
  const mended = closed?.outcome === 'fixed'
  tell(`   ${closed ? `closed: ${closed.outcome}` : 'not closed in time'}`)
  return mended
}

async function count(lab: Lab, sinceMs: number): Promise<{ alerts: number; incidents: number }> {
  const alerts = readAlerts(lab.midwatch.databaseFile).filter(({ firstAtMs }) => firstAtMs >= sinceMs).length
  return { alerts, incidents: (await lab.agent.incidentsSince(sinceMs)).length }
}

async function comeToRest({ lab, tell, signal }: RoundContext): Promise<void> {
  const quiet = await waitForQuiet(lab.agent, { untilMs: Date.now() + QUIET_MS, signal })
  if (!quiet) tell('   an incident is still open although everything was healed')
}

/** A shop that is in trouble already, on a busy machine, would spoil what the next fault is compared with. */
async function beginQuiet({ lab, tell, signal }: RoundContext): Promise<void> {
  const [first] = await openIncidents(lab.agent)
  if (!first) return
  tell(`   something is wrong although nothing is broken: ${first.sentence}`)
  await waitForQuiet(lab.agent, { untilMs: Date.now() + QUIET_MS, signal })
  await rest(signal)
}

/** A healthy past for the next round. */
export const rest = (signal: AbortSignal): Promise<void> => steady(REST_MS, signal)
