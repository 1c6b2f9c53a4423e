// A person, or a program in a person's name, wants an incident looked at anew. Granted only while nothing of ours is under
// way and no proposal waits: a new look would take a decision out of somebody's hand. Bounded, for each look costs.
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue } from '../../db/queue.ts'
import type { IncidentFeed } from '../feed.ts'
import { moveIncident } from '../store.ts'
import type { IncidentState } from '../tables.ts'
import type { InvestigationTables } from './context.ts'
import { countLooks, getIncident } from './incident.ts'

/** Those that an incident gets by itself included. */
const MOST_LOOKS = 12

const WHY_NOT: Readonly<Record<Exclude<IncidentState, 'watching'>, string>> = {
  open: 'it was only just opened and is looked at in a moment',
  investigating: 'it is being looked at right now',
  awaiting_approval: 'a proposal waits for a person to decide on it; that comes first',
  acting: 'an action is being carried out',
  verifying: 'it is being verified whether the action helped',
  closed: 'it is closed',
}

export interface LookRequest {
  readonly incidentId: string
  /** Who wants it, for the timeline. */
  readonly by: string
}

interface LookDeps {
  readonly db: Db<InvestigationTables>
  readonly clock: Clock
  readonly feed: IncidentFeed
  readonly wake: () => void
}

/** The number of the look that begins. Throws `conflict` with the reason when none may begin now. */
export async function askForLook(
  { db, clock, feed, wake }: LookDeps,
  { incidentId, by }: LookRequest,
): Promise<number> {
  const now = clock.now()
  const look = await db.transaction().execute(async (trx: Db<InvestigationTables>) => {
    const { state, number } = await getIncident(trx, incidentId)
    if (state !== 'watching') throw new AppError('conflict', `Incident ${number} gets no new look: ${WHY_NOT[state]}.`)
    const looks = await countLooks(trx, incidentId)
    if (looks >= MOST_LOOKS)
      throw new AppError('conflict', `Incident ${number} was looked at ${looks} times; it gets no more looks.`)
    const event = { at: now, kind: 'investigating', text: `Looking again: ${by} asked for it.` }
    const { moved } = await moveIncident(trx, incidentId, 'investigating', {}, event)
    if (!moved) throw new AppError('conflict')
    const next = looks + 1
    const payload = { incidentId, look: next }
    await enqueue(trx, { kind: 'investigate', key: `${incidentId}:${next}`, payload, runAtMs: now })
    return next
  })
  feed.publish(incidentId)
  wake()
  return look
}
