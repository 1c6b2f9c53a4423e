// How an incident's row and its timeline change: always inside the caller's transaction, always checked against the
// machine in states.ts, and never without an event that tells it. Publish on the feed after the commit, not here.
import type { Db } from '../db/connect.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { cleanText } from './clean-text.ts'
import { forgetFold } from './folding/open-incidents.ts'
import { eventPositions, nextNumber } from './counters.ts'
import { checkMove, statesBefore } from './states.ts'
import type { IncidentRow, IncidentState, IncidentTables } from './tables.ts'

export interface NewEvent {
  /** ms since the epoch. */
  readonly at: number
  /** One word: `opened`, `alert`, `investigating`, `diagnosed` … */
  readonly kind: string
  /** One sentence for people. */
  readonly text: string
  /** Kept as JSON beside the text, for programs. */
  readonly data?: unknown
}

/** What may change together with the state. `updated_at` and `closed_at` follow the event's time by themselves. */
export type IncidentPatch = Partial<
  Pick<IncidentRow, 'outcome' | 'severity' | 'title' | 'sentence' | 'service' | 'report'>
>

export type Move = { readonly moved: true } | { readonly moved: false; readonly reason: string }

const MAX_EVENT_TEXT = 4000

/** Appends to the incident's timeline with the next number. Throws `not_found` when there is no such incident. */
export async function addEvent<Tables extends IncidentTables>(
  db: Db<Tables>,
  incidentId: string,
  event: NewEvent,
): Promise<void> {
  const trx = db as unknown as Db<IncidentTables>
  // Touching the row first also locks it, so that two writers cannot give the same number.
  const touched = await trx
    .updateTable('incidents')
    .set({ updated_at: event.at })
    .where('id', '=', incidentId)
    .returning('tenant')
    .executeTakeFirst()
  if (!touched) throw noIncident(incidentId)
  const { latest } = await trx
    .selectFrom('incident_events')
    .select((eb) => eb.fn.max('seq').as('latest'))
    .where('incident_id', '=', incidentId)
    .executeTakeFirstOrThrow()
  await trx
    .insertInto('incident_events')
    .values({
      id: newId('evt', event.at),
      tenant: touched.tenant,
      incident_id: incidentId,
      seq: (latest ?? 0) + 1,
      position: await nextNumber(trx, eventPositions(touched.tenant)),
      at: event.at,
      kind: event.kind,
      // It may quote what another system answered, and terminals show it.
      text: cleanText(event.text, MAX_EVENT_TEXT),
      data: event.data === undefined ? null : JSON.stringify(event.data),
    })
    .execute()
}

/**
 * Moves an incident to another state, with what changes along with it and the event that tells it.
 * Answers `moved: false` with the reason, and changes nothing, when the machine does not allow it (also when it is
 * already there). Throws `not_found` when there is no such incident.
 */
export async function moveIncident<Tables extends IncidentTables>(
  db: Db<Tables>,
  incidentId: string,
  to: IncidentState,
  patch: IncidentPatch,
  event: NewEvent,
): Promise<Move> {
  const trx = db as unknown as Db<IncidentTables>
  const updated = await trx
    .updateTable('incidents')
    .set({ ...patch, state: to, updated_at: event.at, ...closing(to, event.at) })
    .where('id', '=', incidentId)
    .where('state', 'in', statesBefore(to))
    .executeTakeFirst()
  if (updated.numUpdatedRows === 0n) return { moved: false, reason: await whyNot(trx, incidentId, to) }
  await addEvent(trx, incidentId, event)
  if (to === 'closed') await forgetFold(trx, incidentId)
  return { moved: true }
}

/** What opens again is closed no more. */
const closing = (to: IncidentState, at: number): { closed_at?: number | null } =>
  to === 'closed' ? { closed_at: at } : to === 'open' ? { closed_at: null } : {}

async function whyNot(trx: Db<IncidentTables>, incidentId: string, to: IncidentState): Promise<string> {
  const row = await trx.selectFrom('incidents').select('state').where('id', '=', incidentId).executeTakeFirst()
  if (!row) throw noIncident(incidentId)
  const check = checkMove(row.state, to)
  return check.allowed ? 'The incident was moved at the same moment. Look again.' : check.reason
}

const noIncident = (id: string): AppError => new AppError('not_found', `There is no incident ${id}.`)
