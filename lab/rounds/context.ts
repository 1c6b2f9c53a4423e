// What every round of a drill is made of: wait for the answer, approve, wait for the end, and let things come to rest so
// that the next round is compared with a healthy past.
import { setTimeout as wait } from 'node:timers/promises'
import type { IncidentView } from '../../src/incidents/view.ts'
import type { Lab } from '../lab.ts'
import type { Random } from '../platform/random.ts'
import { readAlerts } from '../records.ts'
import type { DrillRound } from '../score.ts'
import {
  openIncidents,
  waitForClose,
  waitForDiagnosis,
  waitForIncident,
  waitForProposal,
  waitForQuiet,
} from '../walk.ts'

export interface RoundContext {
  readonly lab: Lab
  readonly random: Random
  readonly seed: number
  readonly approve: boolean
  /** Progress, a line at a time. */
  readonly tell: (text: string) => void
  readonly signal: AbortSignal
}

/** Throws when the signal aborts; heals even then. A row for everything that was injected, or one for nothing. */
export type Round = (context: RoundContext) => Promise<readonly DrillRound[]>

export const INCIDENT_MS = 120_000
export const DIAGNOSIS_MS = 90_000
const PROPOSAL_MS = 30_000
export const CLOSE_MS = 180_000
const QUIET_MS = 120_000
/** With the healthy seconds at the end of a round, most of what the next diagnosis compares with. */
const REST_MS = 45_000

/** What the report names first; nothing where it abstains. */
export function leading(view: IncidentView | undefined) {
  const cause = view?.report?.abstained ? undefined : view?.report?.causes[0]
  return {
    named: cause ? { service: cause.service, kind: cause.kind } : null,
    confidence: cause?.confidence ?? null,
  }
}

/** From the injection to the report, to a tenth of a second. */
export const secondsTo = (view: IncidentView | undefined, sinceMs: number): number | null =>
  view?.report ? Math.round((view.report.diagnosedAt - sinceMs) / 100) / 10 : null

/** A healthy while, before the next round. */
export const steady = (ms: number, signal: AbortSignal): Promise<void> => wait(ms, undefined, { signal })

/** A release that does no harm. */
export async function redHerring({ lab, random, tell, signal }: RoundContext): Promise<void> {
  const { service } = await lab.platform.harmlessDeploy(random)
  tell(`   a harmless release of ${service}`)
  await wait(random.int(5, 20) * 1000, undefined, { signal })
}

/** The first incident since then, once it has its report; undefined when none was opened in time. */
export async function diagnosed(
  sinceMs: number,
  minSeconds: number,
  { lab, signal }: RoundContext,
): Promise<IncidentView | undefined> {
  const untilMs = Date.now() + INCIDENT_MS + minSeconds * 1000
  const first = await waitForIncident(lab.agent, sinceMs, { untilMs, signal })
  if (!first) return undefined
  return waitForDiagnosis(lab.agent, first.id, { untilMs: Date.now() + DIAGNOSIS_MS, signal })
}

/** True when the approved action was carried out and verified, null when nothing was proposed. */
export async function mend(view: IncidentView, { lab, tell, signal }: RoundContext): Promise<boolean | null> {
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

export async function count(lab: Lab, sinceMs: number): Promise<{ alerts: number; incidents: number }> {
  const alerts = readAlerts(lab.midwatch.databaseFile).filter(({ firstAtMs }) => firstAtMs >= sinceMs).length
  return { alerts, incidents: (await lab.agent.incidentsSince(sinceMs)).length }
}

/** Waits until nothing is open any more. */
export async function comeToRest({ lab, tell, signal }: RoundContext): Promise<void> {
  const quiet = await waitForQuiet(lab.agent, { untilMs: Date.now() + QUIET_MS, signal })
  if (!quiet) tell('   an incident is still open although everything was healed')
}

/** A shop that is in trouble already, on a busy machine, would spoil what the next fault is compared with. */
export async function beginQuiet({ lab, tell, signal }: RoundContext): Promise<void> {
  const [first] = await openIncidents(lab.agent)
  if (!first) return
  tell(`   something is wrong although nothing is broken: ${first.sentence}`)
  await waitForQuiet(lab.agent, { untilMs: Date.now() + QUIET_MS, signal })
  await rest(signal)
}

/** A healthy past for the next round. */
export const rest = (signal: AbortSignal): Promise<void> => steady(REST_MS, signal)
