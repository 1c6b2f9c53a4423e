// One fault: break, wait for the answer, approve, wait for the end, heal.
import type { Fault } from '../faults/fault.ts'
import { makeRow } from '../score.ts'
import {
  beginQuiet,
  comeToRest,
  count,
  diagnosed,
  leading,
  mend,
  redHerring,
  type Round,
  secondsTo,
} from './context.ts'

export const faultRound =
  (fault: Fault): Round =>
  async (context) => {
    const { lab, random, seed, tell, signal } = context
    await beginQuiet(context)
    if (random.next() < 0.4) await redHerring(context)
    const truth = await lab.inject(fault, random)
    const sinceMs = truth.startedAt
    try {
      const view = await diagnosed(sinceMs, fault.minSeconds, context)
      const secondsToDiagnosis = secondsTo(view, sinceMs)
      tell(
        `   ${view ? view.sentence : 'no incident was opened'}${secondsToDiagnosis === null ? '' : ` (${secondsToDiagnosis.toFixed(0)} s)`}`,
      )
      const mended = view && context.approve ? await mend(view, context) : null
      const injected = { service: truth.service, kind: truth.kind }
      const counts = await count(lab, sinceMs)
      return [
        {
          row: makeRow({ fault: fault.name, seed, injected, ...leading(view), secondsToDiagnosis, ...counts }),
          found: counts.incidents > 0,
          mended,
        },
      ]
    } finally {
      await fault.heal(lab.platform)
      if (!signal.aborted) await comeToRest(context)
    }
  }
