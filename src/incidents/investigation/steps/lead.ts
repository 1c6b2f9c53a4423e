// Is what the specialists found enough? What is missing goes back to them as questions.
import type { InvestigationContext, Step } from '../context.ts'
import { lead as decide } from '../inquiry/lead.ts'
import { findNote, keepNote, readNotes } from '../inquiry/notebook.ts'

export const lead = (context: InvestigationContext): Step =>
  async function leadInquiry(state, signal) {
    const round = state.inquiryRound ?? 1
    const known = await findNote(context.db, state, 'lead', round)
    if (known) return { questions: known.questions ?? [], inquiryRound: round + 1 }
    const inquiry = await context.desk.inquiry(state, signal)
    const notes = await readNotes(context.db, state)
    const { note, questions } = await decide(state, inquiry, round, notes, signal)
    await keepNote(context, state, inquiry.incident.tenant, { ...note, questions: [...questions] }, [])
    return { questions, inquiryRound: round + 1 }
  }
