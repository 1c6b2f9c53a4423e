// The rows of alerts as intake writes them: a life that is new, and the end of one.
import { newId } from '../core/ids.ts'
import type { Db } from '../db/connect.ts'
import type { IncomingAlert } from './incoming-alert.ts'
import type { EndedAlert } from './recovery.ts'
import type { AlertRow, IncidentTables } from './tables.ts'

/** How long after we were told of an end the other sender of a pair may still say `firing`. */
export const ECHO_MS = 2 * 60_000

export const LIFE_COLUMNS = [
  'id',
  'identity',
  'starts_at',
  'sent_starts_at',
  'status',
  'ends_at',
  'ends_by',
  'end_seen_at',
  'first_at',
  'incident_id',
] as const

export type Life = Pick<AlertRow, (typeof LIFE_COLUMNS)[number]>

/** Where alerts come from. */
export interface Origin {
  readonly tenant: string
  readonly source: string
  readonly deliveryId: string
  /** A body that was here before: it is not counted once more. */
  readonly duplicate: boolean
}

export function newRow({ tenant, source, deliveryId }: Origin, alert: IncomingAlert, nowMs: number): AlertRow {
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
    sent_starts_at: null,
    ends_at: alert.endsAtMs,
    ends_by: alert.endsByMs,
    end_seen_at: alert.status === 'resolved' ? nowMs : null,
    labels: JSON.stringify(alert.labels),
    annotations: JSON.stringify(alert.annotations),
    url: alert.url,
    group_key: alert.groupKey,
    delivery_id: deliveryId,
    times: 1,
    first_at: nowMs,
    last_at: nowMs,
    decision: alert.decided?.kind ?? null,
    reason: alert.decided?.reason ?? null,
    incident_id: null,
    muted_by: null,
  }
}

/** Ends a life, and says so to its incident where it has one. */
export async function endLife<Tables extends IncidentTables>(
  db: Db<Tables>,
  life: Life,
  alert: IncomingAlert,
  nowMs: number,
): Promise<readonly EndedAlert[]> {
  const trx = db as unknown as Db<IncidentTables>
  const endsAtMs = alert.endsAtMs ?? nowMs
  const { name, service } = await trx
    .updateTable('alerts')
    .set({ status: 'resolved', ends_at: endsAtMs, end_seen_at: nowMs })
    .where('id', '=', life.id)
    .returning(['name', 'service'])
    .executeTakeFirstOrThrow()
  return life.incident_id === null ? [] : [{ alertId: life.id, incidentId: life.incident_id, name, service, endsAtMs }]
}
