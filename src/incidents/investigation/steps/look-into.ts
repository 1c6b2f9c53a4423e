// Six times side by side: each specialist looks with its own tools. What it found is a note in the database;
// the state keeps nothing of it.
import type { InvestigationContext, Step } from '../context.ts'
import { lookInto as work } from '../inquiry/look-into.ts'
import { findNote, keepNote, readNotes } from '../inquiry/notebook.ts'
import type { SpecialistName } from '../inquiry/specialists.ts'

export const lookInto = (context: InvestigationContext, name: SpecialistName): Step =>
  async function lookIntoIncident(state, signal) {
    const round = state.inquiryRound ?? 1
    const questions =
      round === 1 ? undefined : (state.questions ?? []).flatMap(({ to, query }) => (to === name ? [query] : []))
    if (questions?.length === 0 || (await findNote(context.db, state, name, round))) return {}
    const inquiry = await context.desk.inquiry(state, signal)
    const before = round === 1 ? [] : (await readNotes(context.db, state)).filter(({ step }) => step === name)
    const assignment = { name, round, before, ...(questions === undefined ? {} : { questions }) }
    const { note, outputs } = await work(context, state, inquiry, assignment, signal)
    await keepNote(context, state, inquiry.incident.tenant, note, outputs)
    return {}
  }
