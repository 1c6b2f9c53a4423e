// Waits, for days if need be, until the proposal is decided, expired or void. Nothing runs while it waits:
// the graph is a row in the database. The decision is read from there too, never from what resumed the graph.
import { interrupt } from '@langchain/langgraph'
import { getApproval } from '../approvals.ts'
import type { InvestigationContext, Step } from '../context.ts'
import type { Wait } from '../waits.ts'

export const approve = ({ db }: InvestigationContext): Step =>
  async function waitForApproval({ approvalId }) {
    if (approvalId === null) return {}
    const { state } = await getApproval(db, approvalId)
    if (state === 'pending') interrupt({ kind: 'approval', approvalId } satisfies Wait)
    const { state: decided } = await getApproval(db, approvalId)
    if (decided === 'pending') throw new Error(`approval ${approvalId} was resumed before it was decided`)
    return { acted: decided === 'approved' }
  }
