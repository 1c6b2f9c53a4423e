// Takes a delivery of alerts: the body and everything in it are on the disk, in one transaction, before the sender is
// told so. Deliveries may come twice, late and out of order; what each means for the alerts known is decided in lives.ts.
import { sha256Hex } from '../core/hash.ts'
import { newId } from '../core/ids.ts'
import { AppError } from '../core/errors.ts'
import type { Db } from '../db/connect.ts'
import { enqueue, type NewJob, type QueueTables } from '../db/queue.ts'
import type { Log } from '../observe/log.ts'
import { breath } from './breath.ts'
import type { IncidentFeed } from './feed.ts'
import type { IncomingAlert } from './incoming-alert.ts'
import { storeAlerts } from './lives.ts'
import { type EndedAlert, noteEnded } from './recovery.ts'
import type { IncidentTables } from './tables.ts'

type Tables = IncidentTables & QueueTables

export interface IntakeDeps {
  readonly db: Db<Tables>
  readonly feed: IncidentFeed
  readonly log: Log
  /** Called after new alerts are stored: wakes the folder. */
  readonly onStored: () => void
  /** Called for each alert that was decided on before it could be folded, when it is stored. */
  readonly onDecided?: (source: string, decision: 'ignored' | 'not_understood') => void
  /** Called when jobs were written with a delivery. */
  readonly onJobs?: () => void
}

export interface Delivery {
  readonly tenant: string
  /** The sender's name: there are only so many. */
  readonly source: string
  /** As it came. */
  readonly body: string
  /** In the sender's order. */
  readonly alerts: readonly IncomingAlert[]
  /** What there is to do because of it. */
  readonly jobs?: readonly NewJob[]
}

export interface Receipt {
  readonly deliveryId: string
  /** The same body was here before. It does not count twice, but says again what it says: a repetition looks like that. */
  readonly duplicate: boolean
}

/** Kept well under SQLite's 32,766 parameters a statement. */
const CHUNK = 250
const RETRY_AFTER_SECONDS = 5

/** Stores a delivery whole or not at all. Throws `unavailable` when the database cannot take it (a full disk). */
export async function storeDelivery(deps: IntakeDeps, delivery: Delivery, nowMs: number): Promise<Receipt> {
  const touched: string[] = []
  let begun = 0
  const store = (): Promise<Receipt> =>
    deps.db.transaction().execute(async (trx) => {
      const receipt = await countDelivery(trx, delivery, nowMs)
      const from = { ...delivery, ...receipt }
      const ended: EndedAlert[] = []
      const pause = breath()
      for (let i = 0; i < delivery.alerts.length; i += CHUNK) {
        const stored = await storeAlerts(trx, from, delivery.alerts.slice(i, i + CHUNK), nowMs)
        ended.push(...stored.ended)
        begun += stored.begun
        touched.push(...stored.touched)
        await pause()
      }
      touched.push(...(await noteEnded(trx, ended, nowMs)))
      for (const job of delivery.jobs ?? []) await enqueue(trx, job)
      return receipt
    })
  const receipt = await store().catch((error: unknown) => {
    deps.log.error({ err: error, tenant: delivery.tenant, source: delivery.source }, 'a delivery could not be stored')
    throw new AppError('unavailable', 'The alerts could not be stored; none of them was. Send them again shortly.', {
      cause: error,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    })
  })
  for (const incidentId of new Set(touched)) deps.feed.publish(incidentId)
  if (!receipt.duplicate)
    for (const { decided } of delivery.alerts) if (decided !== null) deps.onDecided?.(delivery.source, decided.kind)
  if ((delivery.jobs ?? []).length > 0) deps.onJobs?.()
  if (begun > 0) deps.onStored()
  return receipt
}

async function countDelivery(trx: Db<Tables>, delivery: Delivery, nowMs: number): Promise<Receipt> {
  const id = newId('dlv', nowMs)
  const stored = await trx
    .insertInto('deliveries')
    .values({
      id,
      tenant: delivery.tenant,
      source: delivery.source,
      body_hash: sha256Hex(delivery.body),
      body: delivery.body,
      times: 1,
      first_at: nowMs,
      last_at: nowMs,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'source', 'body_hash'])
        .doUpdateSet((eb) => ({ times: eb('deliveries.times', '+', 1), last_at: nowMs })),
    )
    .returning('id')
    .executeTakeFirstOrThrow()
  return { deliveryId: stored.id, duplicate: stored.id !== id }
}
