// Asks every source at once. What was read stays on the desk; the state keeps nothing of it.
import type { InvestigationContext, Step } from '../context.ts'

export const gather = (context: InvestigationContext): Step =>
  async function gatherReadings(state, signal) {
    await context.desk.readings(state, signal)
    return {}
  }
