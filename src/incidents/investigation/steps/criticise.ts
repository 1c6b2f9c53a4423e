// The critic tries to show that the leading hypothesis is false.
import type { InvestigationContext, Step } from '../context.ts'
import { criticise as refute } from '../inquiry/critic.ts'
import { findNote, keepNote } from '../inquiry/notebook.ts'

export const criticise = (context: InvestigationContext): Step =>
  async function criticiseHypothesis(state, signal) {
    if (await findNote(context.db, state, 'critic', 1)) return {}
    const inquiry = await context.desk.inquiry(state, signal)
    const { note, outputs } = await refute(context, state, inquiry, signal)
    await keepNote(context, state, inquiry.incident.tenant, note, outputs)
    return {}
  }
