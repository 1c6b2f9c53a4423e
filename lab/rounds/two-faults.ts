// Two faults at once, which have nothing to do with each other: two incidents, two causes.
import { setTimeout as wait } from 'node:timers/promises'
import type { IncidentView } from '../../src/incidents/view.ts'
import { getFault } from '../faults/all.ts'
import type { GroundTruth } from '../faults/fault.ts'
import { type DrillRound, makeRow } from '../score.ts'
import { waitForDiagnosis, waitForIncident } from '../walk.ts'
import { beginQuiet, comeToRest, DIAGNOSIS_MS, INCIDENT_MS, leading, type Round, secondsTo } from './context.ts'

/** Their callers are other routes of the shop. */
const PAIRS = [
  ['fulfilment-stuck', 'model-failing'],
  ['payment-token', 'recommendations-cpu'],
  ['model-failing', 'inventory-disk'],
] as const
const APART_MS = 8000
const BOTH_HURT_MS = 45_000

export const twoFaults: Round = async (context) => {
  const { lab, random, seed, tell, signal } = context
  await beginQuiet(context)
  const faults = random.pick(PAIRS).map(getFault)
  const truths: GroundTruth[] = []
  const sinceMs = Date.now()
  try {
    for (const fault of faults) {
      truths.push(await lab.inject(fault, random))
      await wait(APART_MS, undefined, { signal })
    }
    tell(`   ${faults.map(({ name }) => name).join(' and ')}`)
    await waitForIncident(lab.agent, sinceMs, { untilMs: Date.now() + INCIDENT_MS, signal })
    await wait(BOTH_HURT_MS, undefined, { signal })
    const views: IncidentView[] = []
    for (const { id } of await lab.agent.incidentsSince(sinceMs)) {
      const view = await waitForDiagnosis(lab.agent, id, { untilMs: Date.now() + DIAGNOSIS_MS, signal })
      if (view) views.push(view)
    }
    for (const { number, sentence } of views) tell(`   incident ${number}: ${sentence}`)
    return judge(truths, views, seed)
  } finally {
    for (const fault of faults) await fault.heal(lab.platform)
    if (!signal.aborted) await comeToRest(context)
  }
}

/** Each fault beside the incident that names it; one that nobody names beside the first incident that names none of them. */
function judge(truths: readonly GroundTruth[], views: readonly IncidentView[], seed: number): DrillRound[] {
  const left = [...views]
  const take = (fits: (view: IncidentView) => boolean): IncidentView | undefined => {
    const at = left.findIndex(fits)
    return at === -1 ? undefined : left.splice(at, 1)[0]
  }
  const named = truths.map(({ service }) => take((view) => leading(view).named?.service === service))
  return truths.map(({ service, kind, startedAt }, i) => {
    const view = named[i] ?? take(() => true)
    const row = makeRow({
      fault: 'two-faults',
      seed,
      injected: { service, kind },
      ...leading(view),
      secondsToDiagnosis: secondsTo(view, startedAt),
      alerts: view?.alerts ?? 0,
      incidents: view ? 1 : 0,
    })
    return { row, found: view !== undefined, mended: null }
  })
}
