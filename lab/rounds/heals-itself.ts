// A fault that is over before anybody decides: it is to be named all the same, and nothing is to be done about it any more.
import { getFault } from '../faults/all.ts'
import { readActionRuns } from '../records.ts'
import { makeRow } from '../score.ts'
import { waitForClose, waitForIncident } from '../walk.ts'
import {
  beginQuiet,
  CLOSE_MS,
  comeToRest,
  count,
  diagnosed,
  INCIDENT_MS,
  leading,
  type Round,
  secondsTo,
} from './context.ts'

const FAULTS = ['slow-report', 'payment-down', 'catalogue-cpu', 'model-failing']

export const healsItself: Round = async (context) => {
  const { lab, random, seed, tell, signal } = context
  await beginQuiet(context)
  const fault = getFault(random.pick(FAULTS))
  const runsBefore = readActionRuns(lab.midwatch.databaseFile).length
  const truth = await lab.inject(fault, random)
  const sinceMs = truth.startedAt
  try {
    await waitForIncident(lab.agent, sinceMs, { untilMs: Date.now() + INCIDENT_MS, signal })
    await fault.heal(lab.platform)
    tell(`   ${fault.name} healed by itself`)
    const view = await diagnosed(sinceMs, 0, context)
    const closed = view && (await waitForClose(lab.agent, view.id, { untilMs: Date.now() + CLOSE_MS, signal }))
    const idle = readActionRuns(lab.midwatch.databaseFile).length === runsBefore
    tell(`   ${view?.sentence ?? 'no incident was opened'} closed: ${closed?.outcome ?? 'not yet'}`)
    const injected = { service: truth.service, kind: truth.kind }
    const counts = await count(lab, sinceMs)
    const row = makeRow({
      fault: 'heals-itself',
      seed,
      injected,
      ...leading(view),
      secondsToDiagnosis: secondsTo(view, sinceMs),
      ...counts,
    })
    return [{ row, found: counts.incidents > 0 && idle && closed?.outcome === 'recovered', mended: null }]
  } finally {
    await fault.heal(lab.platform)
    if (!signal.aborted) await comeToRest(context)
  }
}
