// Tells the outside through the queue: the job is written in the transaction of what it tells, so that nothing that
// happened goes untold, and one key a step keeps a second telling out.
import { z } from 'zod'
import { enqueue, type Job } from '../../db/queue.ts'
import { addEvent } from '../store.ts'
import { tellPlainly } from '../told-text.ts'
import type { InvestigationContext, InvestigationDb } from './context.ts'
import { getIncident } from './incident.ts'

export type Notification = 'diagnosed' | 'proposed' | 'acted' | 'closed'

type OutboxContext = Pick<InvestigationContext, 'webhook' | 'clock'>

/**
 * Inside the caller's transaction. `once` tells apart several of a kind in one incident (the second proposal); the same
 * one again does nothing. `details` goes along as it is.
 */
export async function enqueueNotification(
  context: OutboxContext,
  trx: InvestigationDb,
  incidentId: string,
  notification: Notification,
  details: Readonly<Record<string, unknown>> = {},
  once = '',
): Promise<void> {
  if (!context.webhook) return
  const at = context.clock.now()
  const step = once === '' ? notification : `${notification}:${once}`
  await enqueue(trx, {
    kind: 'notify',
    key: `${incidentId}:${step}`,
    payload: { incidentId, notification, step, at, details },
    runAtMs: at,
  })
}

/** The first needs no number: it is the only one of most incidents. */
export const onceIn = (nth: number): string => (nth === 1 ? '' : String(nth))

const payloadSchema = z.object({
  incidentId: z.string(),
  notification: z.enum(['diagnosed', 'proposed', 'acted', 'closed']),
  step: z.string(),
  at: z.number(),
  details: z.record(z.string(), z.unknown()),
})

type NotifyContext = Pick<InvestigationContext, 'db' | 'webhook' | 'clock' | 'publicUrl' | 'feed'>

/** Handles a `notify` job. Throws when the receiver does not take it, so that it is sent again with the same key. */
export async function notify(context: NotifyContext, job: Job, signal: AbortSignal): Promise<void> {
  const { db, webhook, clock, publicUrl, feed } = context
  if (!webhook) return
  const { incidentId, notification, step, at, details } = payloadSchema.parse(job.payload)
  const { number, severity, state, outcome, title, sentence, service } = await getIncident(db, incidentId)
  const url = `${publicUrl.replace(/\/+$/, '')}/incidents/${incidentId}`
  // Both may quote what a stranger wrote, and whoever is told makes links of what looks like one.
  const texts = { title: tellPlainly(title), sentence: tellPlainly(sentence) }
  const incident = { id: incidentId, number, severity, state, outcome, ...texts, service, url }
  await webhook.post({ event: notification, at, incident, ...details }, `${incidentId}:${step}`, signal)
  const told = JSON.stringify({ step })
  await db.transaction().execute(async (trx: InvestigationDb) => {
    const before = await trx
      .selectFrom('incident_events')
      .select('id')
      .where('incident_id', '=', incidentId)
      .where('kind', '=', 'notified')
      .where('data', '=', told)
      .executeTakeFirst()
    const text = `The webhook was told: ${notification}.`
    if (!before) await addEvent(trx, incidentId, { at: clock.now(), kind: 'notified', text, data: { step } })
  })
  feed.publish(incidentId)
}
