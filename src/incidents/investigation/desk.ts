// What was read for the incidents under investigation, and what was made of it. Kept in memory alone: it is large, and
// after a crash it is read again over the same window rather than dragged through every checkpoint.
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Diagnosis } from '../../diagnosis/case.ts'
import type { Inquiry } from './inquiry/inquiry.ts'
import type { Readings } from './read.ts'
import type { InvestigationState } from './state.ts'

export interface Desk {
  readings(state: InvestigationState, signal: AbortSignal): Promise<Readings>
  diagnosis(state: InvestigationState, signal: AbortSignal): Promise<Diagnosis>
  /** What the steps of the inquiry share. */
  inquiry(state: InvestigationState, signal: AbortSignal): Promise<Inquiry>
  clear(of: Pick<InvestigationState, 'incidentId' | 'look'>): void
}

export interface DeskWork {
  read(state: InvestigationState, signal: AbortSignal): Promise<Readings>
  diagnose(state: InvestigationState, readings: Readings): Diagnosis | Promise<Diagnosis>
  inquire(state: InvestigationState, readings: Readings, diagnosis: Diagnosis): Promise<Inquiry>
}

/** Promises, for steps that run side by side ask for the same. */
interface Folder {
  readings?: Promise<Readings>
  diagnosis?: Promise<Diagnosis>
  inquiry?: Promise<Inquiry>
}

/** Incidents on the desk at once; the oldest makes room and would be read again. */
const CAPACITY = 16

export function createDesk(work: DeskWork): Desk {
  const folders = new Map<string, Folder>()
  const keyOf = ({ incidentId, look }: Pick<InvestigationState, 'incidentId' | 'look'>) => `${incidentId} ${look}`
  const folderOf = (state: InvestigationState): Folder => {
    const id = keyOf(state)
    const folder = folders.get(id) ?? {}
    folders.delete(id)
    folders.set(id, folder)
    const oldest = folders.keys().next().value
    if (folders.size > CAPACITY && oldest !== undefined) folders.delete(oldest)
    return folder
  }
  /** What failed is tried anew by whoever asks next. */
  const keep = <K extends keyof Folder>(
    folder: Folder,
    key: K,
    make: () => NonNullable<Folder[K]>,
  ): NonNullable<Folder[K]> => {
    const known = folder[key]
    if (known) return known
    const made = make()
    folder[key] = made
    made.catch(() => {
      if (folder[key] === made) delete folder[key]
    })
    return made
  }
  const desk: Desk = {
    readings: (state, signal) => keep(folderOf(state), 'readings', () => work.read(state, signal)),
    diagnosis: (state, signal) =>
      keep(folderOf(state), 'diagnosis', async () => {
        const readings = await desk.readings(state, signal)
        // The analysis holds the thread: requests that wait go first.
        await yieldToOthers()
        return await work.diagnose(state, readings)
      }),
    inquiry: (state, signal) =>
      keep(folderOf(state), 'inquiry', async () => {
        const diagnosis = await desk.diagnosis(state, signal)
        return await work.inquire(state, await desk.readings(state, signal), diagnosis)
      }),
    clear: (of) => void folders.delete(keyOf(of)),
  }
  return desk
}
