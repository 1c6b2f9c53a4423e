// What people say about a diagnosis, kept beside it: the only teacher there is besides an action that helped.
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Db } from '../../db/connect.ts'
import { addEvent } from '../store.ts'
import type { IncidentTables } from '../tables.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'

export interface Feedback {
  readonly incidentId: string
  readonly tenant: string
  readonly by: string
  /** `withdrawn` takes back whatever was said of this incident before. */
  readonly verdict: 'right' | 'wrong' | 'withdrawn'
  /** What the cause really was, when it was wrong. */
  readonly service?: string | undefined
  readonly kind?: string | undefined
  readonly text?: string | undefined
}

/** Throws `not_found` for another tenant's incident. */
export async function giveFeedback(
  { db, clock, feed }: Pick<InvestigationContext, 'db' | 'clock' | 'feed'>,
  feedback: Feedback,
): Promise<void> {
  await db.transaction().execute((trx: InvestigationDb) => writeFeedback(trx, feedback, clock.now()))
  feed.publish(feedback.incidentId)
}

/** As `giveFeedback`, inside the caller's transaction; the caller publishes the incident after it. */
export async function writeFeedback(trx: Db<IncidentTables>, feedback: Feedback, now: number): Promise<void> {
  const { incidentId, tenant, by, verdict, service = null, kind = null, text = null } = feedback
  const incident = await trx
    .selectFrom('incidents')
    .select('id')
    .where('id', '=', incidentId)
    .where('tenant', '=', tenant)
    .executeTakeFirst()
  if (!incident) throw new AppError('not_found', 'There is no such incident.')
  await trx
    .insertInto('feedback')
    .values({ id: newId('fbk', now), incident_id: incidentId, at: now, by, verdict, service, kind, text })
    .execute()
  const really = service === null && kind === null ? '' : ` It was ${[kind, service].filter(Boolean).join(' at ')}.`
  const says =
    verdict === 'withdrawn' ? 'takes back what was said of the diagnosis' : `says the diagnosis is ${verdict}`
  const said = `${by} ${says}.${really}${text === null ? '' : ` ${text}`}`
  await addEvent(trx, incidentId, { at: now, kind: 'feedback', text: said })
}
