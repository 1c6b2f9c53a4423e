// The analysis, a pure function over what was read. Told to nobody before it has been challenged.
import type { InvestigationContext, Step } from '../context.ts'

export const diagnose = (context: InvestigationContext): Step =>
  async function diagnoseReadings(state, signal) {
    await context.desk.diagnosis(state, signal)
    return {}
  }
