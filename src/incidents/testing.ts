// What the tests of this folder share: a database with the tables, and alerts in Alertmanager's words.
import { connectSqlite, type Connection, type Db } from '../db/connect.ts'
import { migrate } from '../db/migrate.ts'
import { type AuditTables, auditMigrations } from '../audit/tables.ts'
import { queueMigrations, type QueueTables } from '../db/queue.ts'
import type { IncomingAlert } from './incoming-alert.ts'
import { alertmanager } from './senders/alertmanager/alertmanager.ts'
import type { JsonObject } from './senders/sender.ts'
import { moveIncident } from './store.ts'
import { incidentMigrations, type IncidentTables } from './tables.ts'

export type TestDb = Db<IncidentTables & QueueTables & AuditTables>

export async function openTestDb(file = ':memory:'): Promise<{ connection: Connection; db: TestDb }> {
  const connection = connectSqlite(file)
  await migrate(connection, [...incidentMigrations, ...queueMigrations, ...auditMigrations])
  return { connection, db: connection.as<IncidentTables & QueueTables & AuditTables>() }
}

export interface WireAlert {
  status?: string
  labels: Record<string, string>
  annotations?: Record<string, string>
  startsAt: string
  endsAt?: string
  generatorURL?: string
}

/** An alert as Alertmanager writes it; labels beside name, service and severity are added as they are. */
export function wireAlert(
  name: string,
  service: string | null,
  startsAtMs: number,
  more: { endsAtMs?: number; labels?: Record<string, string> } = {},
): WireAlert {
  return {
    status: more.endsAtMs === undefined ? 'firing' : 'resolved',
    labels: { alertname: name, severity: 'critical', ...(service === null ? {} : { service }), ...more.labels },
    annotations: { summary: `${name} is firing` },
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: more.endsAtMs === undefined ? '0001-01-01T00:00:00Z' : new Date(more.endsAtMs).toISOString(),
    generatorURL: 'http://prometheus.example:9090/graph',
  }
}

export const wireWebhook = (alerts: readonly unknown[], more: Record<string, unknown> = {}) => ({
  version: '4',
  groupKey: '{}:{}',
  truncatedAlerts: 0,
  status: 'firing',
  receiver: 'midwatch',
  groupLabels: {},
  commonLabels: {},
  commonAnnotations: {},
  externalURL: 'http://alertmanager.example:9093',
  alerts,
  ...more,
})

/** A bare open incident, for tests that need no alerts. */
export async function insertIncident(db: TestDb, id: string, number: number, tenant = 'default'): Promise<void> {
  await db
    .insertInto('incidents')
    .values({
      id,
      tenant,
      number,
      state: 'open',
      outcome: null,
      severity: 'critical',
      title: 'title',
      sentence: 'sentence.',
      service: null,
      opened_at: 1,
      updated_at: 1,
      closed_at: null,
      report: null,
    })
    .execute()
}

/** The alerts of a webhook of Alertmanager's. */
export const readAlerts = (body: unknown, nowMs: number): readonly IncomingAlert[] =>
  alertmanager.read(body as JsonObject, { headers: {}, nowMs }).alerts
/** Closes an incident whatever it is doing, as when all its alerts have ended. */
export async function closeQuietly(db: TestDb, id: string, nowMs: number): Promise<void> {
  await db
    .transaction()
    .execute((trx) =>
      moveIncident(
        trx,
        id,
        'closed',
        { outcome: 'recovered' },
        { at: nowMs, kind: 'closed', text: 'Closed: it is over.' },
      ),
    )
}
