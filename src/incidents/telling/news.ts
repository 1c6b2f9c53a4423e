// What is told of an incident, and when. News is written as a job in the transaction of what it tells, so that nothing that
// happened goes untold; whom it goes to is decided when the job runs.
import { z } from 'zod'
import { NEWS_KINDS } from '../../config/telling-schema.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'

export type NewsKind = (typeof NEWS_KINDS)[number]

export const plannedNews = z.object({
  incidentId: z.string(),
  kind: z.enum(NEWS_KINDS),
  /** Tells one news of an incident from every other one: `proposed:2.1`. */
  step: z.string(),
  /** When it happened, ms since the epoch. */
  at: z.number(),
  /** What belongs to this news alone, as it is: `{approvalId}`. */
  details: z.record(z.string(), z.unknown()),
})
export type PlannedNews = z.infer<typeof plannedNews>

export interface NewNews {
  readonly kind: NewsKind
  readonly at: number
  readonly details?: Readonly<Record<string, unknown>>
  /** Tells apart several of a kind in one incident (the second proposal); the same one again does nothing. */
  readonly once?: string
}

/** Inside the caller's transaction. */
export async function planNews<Tables extends QueueTables>(
  trx: Db<Tables>,
  incidentId: string,
  { kind, at, details = {}, once = '' }: NewNews,
): Promise<void> {
  const step = once === '' ? kind : `${kind}:${once}`
  const payload: PlannedNews = { incidentId, kind, step, at, details }
  await enqueue(trx, { kind: 'news', key: `${incidentId}:${step}`, payload, runAtMs: at })
}

/** The first needs no number: it is the only one of most incidents. */
export const onceIn = (nth: number): string => (nth === 1 ? '' : String(nth))
