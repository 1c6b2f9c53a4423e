// What was read for the incidents under investigation, and what was made of it. Kept in memory alone: it is large, and
// after a crash it is read again over the same window rather than dragged through every checkpoint.
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { Diagnosis } from '../../diagnosis/case.ts'
import type { Readings } from './read.ts'
import type { InvestigationState } from './state.ts'

export interface Desk {
  readings(state: InvestigationState, signal: AbortSignal): Promise<Readings>
  diagnosis(state: InvestigationState, signal: AbortSignal): Promise<Diagnosis>
  clear(of: Pick<InvestigationState, 'incidentId' | 'look'>): void
}

export interface DeskWork {
  read(state: InvestigationState, signal: AbortSignal): Promise<Readings>
  diagnose(state: InvestigationState, readings: Readings): Diagnosis | Promise<Diagnosis>
}

interface Folder {
  readings?: Readings
  diagnosis?: Diagnosis
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
  const desk: Desk = {
    readings: async (state, signal) => {
      const folder = folderOf(state)
      return (folder.readings ??= await work.read(state, signal))
    },
    diagnosis: async (state, signal) => {
      const folder = folderOf(state)
      if (folder.diagnosis) return folder.diagnosis
      const readings = await desk.readings(state, signal)
      // The analysis holds the thread: requests that wait go first.
      await yieldToOthers()
      return (folder.diagnosis = await work.diagnose(state, readings))
    },
    clear: (of) => void folders.delete(keyOf(of)),
  }
  return desk
}
