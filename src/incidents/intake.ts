// Takes a delivery of alerts: the body and everything in it are on the disk, in one transaction, before the sender is
// told so. Deliveries may come twice, late and out of order: an alert's life (its labels and its beginning) is one row,
// and once it has ended it stays ended, for senders in pairs go on saying `firing` of what the other has resolved.
import { sha256Hex } from '../core/hash.ts'
import { newId } from '../core/ids.ts'
import { AppError } from '../core/errors.ts'
import type { Db } from '../db/connect.ts'
import type { QueueTables } from '../db/queue.ts'
import type { Log } from '../observe/log.ts'
import type { IncomingAlert } from './alertmanager.ts'
import { breath } from './breath.ts'
import type { IncidentFeed } from './feed.ts'
import { type EndedAlert, noteEnded } from './recovery.ts'
import type { AlertRow, IncidentTables } from './tables.ts'

type Tables = IncidentTables & QueueTables

export interface IntakeDeps {
  readonly db: Db<Tables>
  readonly feed: IncidentFeed
  readonly log: Log
  /** Called after new alerts are stored: wakes the folder. */
  readonly onStored: () => void
}

export interface Delivery {
  readonly tenant: string
  readonly source: 'alertmanager'
  /** As it came. */
  readonly body: string
  /** Each life once. */
  readonly alerts: readonly IncomingAlert[]
}

export interface Receipt {
  readonly deliveryId: string
  /** The same body was here before: nothing but its count changed. */
  readonly duplicate: boolean
}

/** Kept well under SQLite's 32,766 parameters a statement. */
const CHUNK = 250
const RETRY_AFTER_SECONDS = 5

/** Stores a delivery whole or not at all. Throws `unavailable` when the database cannot take it (a full disk). */
export async function storeDelivery(deps: IntakeDeps, delivery: Delivery, nowMs: number): Promise<Receipt> {
  const touched: string[] = []
  const store = (): Promise<Receipt> =>
    deps.db.transaction().execute(async (trx) => {
      const receipt = await countDelivery(trx, delivery, nowMs)
      if (receipt.duplicate) return receipt
      const ended: EndedAlert[] = []
      const pause = breath()
      for (let i = 0; i < delivery.alerts.length; i += CHUNK) {
        ended.push(
          ...(await storeAlerts(trx, delivery, receipt.deliveryId, delivery.alerts.slice(i, i + CHUNK), nowMs)),
        )
        await pause()
      }
      touched.push(...(await noteEnded(trx, ended, nowMs)))
      return receipt
    })
  const receipt = await store().catch((error: unknown) => {
    deps.log.error({ err: error, tenant: delivery.tenant, source: delivery.source }, 'a delivery could not be stored')
    throw new AppError('unavailable', 'The alerts could not be stored; none of them was. Send them again shortly.', {
      cause: error,
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    })
  })
  for (const incidentId of touched) deps.feed.publish(incidentId)
  if (!receipt.duplicate) deps.onStored()
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

type Known = Pick<AlertRow, 'id' | 'identity' | 'starts_at' | 'status' | 'incident_id'>

/** Returns the alerts of incidents that ended with this. */
async function storeAlerts(
  trx: Db<Tables>,
  { tenant, source }: Delivery,
  deliveryId: string,
  alerts: readonly IncomingAlert[],
  nowMs: number,
): Promise<readonly EndedAlert[]> {
  const known = new Map<string, Known>()
  const starts = alerts.map((alert) => alert.startsAtMs)
  const rows = await trx
    .selectFrom('alerts')
    .select(['id', 'identity', 'starts_at', 'status', 'incident_id'])
    .where('tenant', '=', tenant)
    .where('source', '=', source)
    .where('identity', 'in', [...new Set(alerts.map((alert) => alert.identity))])
    // A range, for a list of times beside a list of identities would be looked up pair by pair.
    .where('starts_at', '>=', Math.min(...starts))
    .where('starts_at', '<=', Math.max(...starts))
    .execute()
  for (const row of rows) known.set(lifeKey(row.identity, row.starts_at), row)

  const again: string[] = []
  const fresh: AlertRow[] = []
  const ended: EndedAlert[] = []
  for (const alert of alerts) {
    const row = known.get(lifeKey(alert.identity, alert.startsAtMs))
    if (!row) fresh.push(newRow(tenant, source, deliveryId, alert, nowMs))
    else {
      again.push(row.id)
      if (row.status === 'firing' && alert.status === 'resolved') {
        const endsAtMs = alert.endsAtMs ?? nowMs
        await trx
          .updateTable('alerts')
          .set({ status: 'resolved', ends_at: endsAtMs })
          .where('id', '=', row.id)
          .execute()
        if (row.incident_id !== null)
          ended.push({
            alertId: row.id,
            incidentId: row.incident_id,
            name: alert.name,
            service: alert.service,
            endsAtMs,
          })
      }
    }
  }
  if (fresh.length > 0) await trx.insertInto('alerts').values(fresh).execute()
  if (again.length > 0) {
    await trx
      .updateTable('alerts')
      .set((eb) => ({ times: eb('times', '+', 1), last_at: nowMs }))
      .where('id', 'in', again)
      .execute()
  }
  return ended
}

const lifeKey = (identity: string, startsAtMs: number): string => `${identity} ${startsAtMs}`

function newRow(tenant: string, source: string, deliveryId: string, alert: IncomingAlert, nowMs: number): AlertRow {
  return {
    id: newId('alr', nowMs),
    tenant,
    source,
    identity: alert.identity,
    fingerprint: alert.fingerprint,
    name: alert.name,
    service: alert.service,
    severity: alert.severity,
    status: alert.status,
    starts_at: alert.startsAtMs,
    ends_at: alert.endsAtMs,
    labels: JSON.stringify(alert.labels),
    annotations: JSON.stringify(alert.annotations),
    url: alert.url,
    group_key: alert.groupKey,
    delivery_id: deliveryId,
    times: 1,
    first_at: nowMs,
    last_at: nowMs,
    decision: null,
    reason: null,
    incident_id: null,
  }
}
