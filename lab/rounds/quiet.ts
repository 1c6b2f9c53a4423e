// Nothing is broken, only a harmless release goes out: the right answer is silence.
import { setTimeout as wait } from 'node:timers/promises'
import { makeRow } from '../score.ts'
import { waitForDiagnosis } from '../walk.ts'
import { count, DIAGNOSIS_MS, leading, redHerring, type Round } from './context.ts'

const CONTROL_MS = 60_000

export const quietRound: Round = async (context) => {
  const { lab, seed, signal } = context
  const sinceMs = Date.now()
  await redHerring(context)
  await wait(CONTROL_MS, undefined, { signal })
  const [first] = await lab.agent.incidentsSince(sinceMs)
  const view = first
    ? await waitForDiagnosis(lab.agent, first.id, { untilMs: Date.now() + DIAGNOSIS_MS, signal })
    : undefined
  const counts = await count(lab, sinceMs)
  const row = makeRow({ fault: 'none', seed, injected: null, ...leading(view), secondsToDiagnosis: null, ...counts })
  return [{ row, found: counts.incidents === 0, mended: null }]
}
