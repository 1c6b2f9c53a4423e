// The one machine of an incident's states. Whoever moves an incident asks here. A closed incident opens again only when
// its trouble returns soon; when it returns later, a new incident opens that names the old one.
import type { IncidentState } from './tables.ts'

const NEXT: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
  open: ['investigating', 'watching', 'closed'],
  investigating: ['awaiting_approval', 'verifying', 'watching', 'closed'],
  awaiting_approval: ['acting', 'investigating', 'watching', 'closed'],
  // Never straight to closed: what an action did is looked at before anyone says that it helped.
  acting: ['verifying', 'investigating', 'watching'],
  verifying: ['investigating', 'awaiting_approval', 'watching', 'closed'],
  watching: ['investigating', 'awaiting_approval', 'verifying', 'closed'],
  closed: ['open'],
}

export const INCIDENT_STATES = Object.keys(NEXT) as readonly IncidentState[]

export type MoveCheck = { readonly allowed: true } | { readonly allowed: false; readonly reason: string }

/** Whether an incident may go from one state to another. Staying where it is is not a move. */
export function checkMove(from: IncidentState, to: IncidentState): MoveCheck {
  if (NEXT[from].includes(to)) return { allowed: true }
  if (from === to) return { allowed: false, reason: `The incident is already ${spell(to)}.` }
  return { allowed: false, reason: `An incident that is ${spell(from)} cannot become ${spell(to)}.` }
}

/** The states from which `to` can be reached in one move. */
export const statesBefore = (to: IncidentState): readonly IncidentState[] =>
  INCIDENT_STATES.filter((from) => NEXT[from].includes(to))

const spell = (state: IncidentState): string => state.replaceAll('_', ' ')
