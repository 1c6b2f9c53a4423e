// Between two looks of the verification: the graph lies in the database and a job wakes it, so that nothing has to stay
// in memory and a crash costs no look.
import { interrupt } from '@langchain/langgraph'
import type { InvestigationContext, Step } from '../context.ts'
import type { Wait } from '../waits.ts'

export const pause = ({ clock }: InvestigationContext): Step =>
  async function waitForNextLook({ lookAtMs }) {
    if (lookAtMs !== null && clock.now() < lookAtMs) interrupt({ kind: 'look', atMs: lookAtMs } satisfies Wait)
    return {}
  }
