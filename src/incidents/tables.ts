// The tables of the on-call agent. Times are ms since the epoch; JSON is text and parsed where it is read.
import { type Kysely, sql } from 'kysely'
import type { Migration } from '../db/migrate.ts'
import { type ContextTables, createContextTables } from './context/tables.ts'
import { createByHandTables, createFoldingTables, type FoldingTables, indexBeginnings } from './folding/tables.ts'
import { type InquiryTables, inquiryMigrations } from './investigation/inquiry/tables.ts'
import { type ActingTables, createActingTables } from './investigation/acting/tables.ts'
import { type CaseTables, createCaseTables } from './memory/tables.ts'
import { createReportIndexes } from './reports/tables.ts'
import { createRoutingTables, type RoutingTables } from './routing/tables.ts'
import { createTellingTables, type TellingTables } from './telling/tables.ts'

/** A webhook body, kept as it came. The same body again only raises `times`. */
export interface DeliveryRow {
  id: string
  tenant: string
  source: string
  body_hash: string
  body: string
  times: number
  first_at: number
  last_at: number
}

/**
 * One life of an alert: what has exactly the same labels and began at the same moment. An alert that had ended and fires
 * again with its old beginning is another life, which began when it was heard of.
 */
export interface AlertRow {
  id: string
  tenant: string
  source: string
  /** Hash of the labels as they came: two pods of one deployment are two alerts. */
  identity: string
  /** Hash of the labels with what varies masked: the same trouble again has the same one. */
  fingerprint: string
  name: string
  service: string | null
  severity: string
  status: 'firing' | 'resolved'
  starts_at: number
  /** What the sender gives as its beginning, where that is the beginning of a life that had ended. */
  sent_starts_at: number | null
  ends_at: number | null
  /** While it fires: when it ends by its sender's word, unless it is delivered again. */
  ends_by: number | null
  /** When we were told of its end; null while it fires, and where nobody told us. */
  end_seen_at: number | null
  labels: string
  annotations: string
  url: string | null
  /** The sender's own grouping, where it has one that tells something. */
  group_key: string | null
  delivery_id: string
  /** How often it was delivered. */
  times: number
  first_at: number
  last_at: number
  /** null until folded. `muted`: held back by a silence and the like. `not_understood`: kept and shown, but nobody here can read it. */
  decision: 'opened' | 'joined' | 'ignored' | 'muted' | 'not_understood' | null
  /** The rule that decided, and why: `dependency: checkout calls inventory, 12 s apart`. */
  reason: string | null
  incident_id: string | null
  /** What keeps it from opening anything, or did so until now: `silence:sil_…`, `maintenance:nightly`, `inhibition:…`. */
  muted_by: string | null
}

export type IncidentState =
  | 'open' // collecting alerts before it is looked at
  | 'investigating'
  | 'awaiting_approval'
  | 'acting'
  | 'verifying'
  | 'watching' // nothing (more) to do by us: waits for its alerts to end
  | 'closed'

export type IncidentOutcome =
  | 'fixed' // an action of ours, verified
  | 'recovered' // its alerts ended without an action of ours

export interface IncidentRow {
  id: string
  tenant: string
  /** Counts up from 1: what people call it. */
  number: number
  state: IncidentState
  outcome: IncidentOutcome | null
  severity: string
  title: string
  /** The sentence that is the same on every face. */
  sentence: string
  /** The service most hurt, as the alerts tell it. */
  service: string | null
  opened_at: number
  updated_at: number
  closed_at: number | null
  /** JSON of Report, once there is one. */
  report: string | null
}

/** The timeline: append-only, numbered within its incident. */
export interface IncidentEventRow {
  id: string
  tenant: string
  incident_id: string
  seq: number
  /** Counts up over all incidents of the tenant, in the order of commits: where a live reader left off. */
  position: number
  at: number
  kind: string
  text: string
  data: string | null
}

/** Numbers that count up, each under its name. */
export interface CounterRow {
  name: string
  value: number
}

export interface ChangeRow {
  id: string
  tenant: string
  at: number
  service: string
  kind: string
  summary: string
  from_value: string | null
  to_value: string | null
  author: string | null
  received_at: number
}

export interface ApprovalRow {
  id: string
  incident_id: string
  /** JSON of ProposedAction: exactly what will run. */
  action: string
  risk: number
  state: 'pending' | 'approved' | 'refused' | 'expired' | 'void'
  requested_at: number
  expires_at: number
  decided_at: number | null
  decided_by: string | null
  reason: string | null
  /** How many people have to agree; null for one. */
  people: number | null
  /** The person who asked for it, and with which key; null where Midwatch proposes it. */
  requested_by: string | null
  requested_key: string | null
  /** The approval whose action it takes back. */
  undo_of: string | null
  /** 1: who approved it also approved to take it back if it makes things worse. */
  undo_named: number | null
}

/** The once-only record of an effect: written before it, closed after it. Its id is the approval's. */
export interface ActionRunRow {
  id: string
  incident_id: string
  action: string
  state: 'intended' | 'done' | 'failed' | 'uncertain'
  started_at: number
  finished_at: number | null
  detail: string | null
  /** What was seen of the symptom afterwards; null until then. */
  verdict: 'fixed' | 'numbers_back' | 'not_fixed' | 'worse' | null
}

export interface FeedbackRow {
  id: string
  incident_id: string
  at: number
  by: string
  /** The latest of an incident counts; `withdrawn` takes back what was said before. */
  verdict: 'right' | 'wrong' | 'withdrawn'
  service: string | null
  kind: string | null
  text: string | null
}

export interface IncidentTables
  extends ContextTables, CaseTables, FoldingTables, InquiryTables, ActingTables, TellingTables, RoutingTables {
  deliveries: DeliveryRow
  alerts: AlertRow
  incidents: IncidentRow
  incident_events: IncidentEventRow
  counters: CounterRow
  changes: ChangeRow
  approvals: ApprovalRow
  action_runs: ActionRunRow
  feedback: FeedbackRow
}

/** As a literal, not a parameter: only so does a query match the partial index that is made with it. */
export const stillOpen = sql<boolean>`state <> 'closed'`
export const stillFiring = sql<boolean>`status = 'firing'`

export const incidentMigrations: readonly Migration[] = [
  { name: '2026-11-23-incidents', up: createIncidentTables },
  { name: '2026-11-24-alerts-that-return', up: addReturns },
  { name: '2026-11-25-alerts-that-fall-silent', up: addSilence },
  { name: '2026-11-26-cases', up: createCaseTables },
  ...inquiryMigrations,
  { name: '2026-11-26-folding', up: createFoldingTables },
  { name: '2026-11-26-reports', up: createReportIndexes },
  { name: '2026-11-26-context', up: createContextTables },
  { name: '2026-11-26-folding-by-hand', up: createByHandTables },
  { name: '2026-11-26-who-may-act', up: createActingTables },
  { name: '2026-11-26-beginnings', up: indexBeginnings },
  { name: '2026-11-26-telling', up: createTellingTables },
  { name: '2026-11-26-routing', up: createRoutingTables },
]

async function createIncidentTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('deliveries')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('body_hash', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('times', 'integer', (c) => c.notNull())
    .addColumn('first_at', 'bigint', (c) => c.notNull())
    .addColumn('last_at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('deliveries_once', ['tenant', 'source', 'body_hash'])
    .execute()
  await db.schema
    .createTable('incidents')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('outcome', 'text')
    .addColumn('severity', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('sentence', 'text', (c) => c.notNull())
    .addColumn('service', 'text')
    .addColumn('opened_at', 'bigint', (c) => c.notNull())
    .addColumn('updated_at', 'bigint', (c) => c.notNull())
    .addColumn('closed_at', 'bigint')
    .addColumn('report', 'text')
    .addUniqueConstraint('incidents_number', ['tenant', 'number'])
    .execute()
  // Partial: what is open is few among many, and it is what everybody looks at.
  await db.schema.createIndex('incidents_open').on('incidents').columns(['tenant', 'number']).where(stillOpen).execute()
  await db.schema.createIndex('incidents_by_state').on('incidents').column('state').execute()
  await db.schema
    .createTable('alerts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('identity', 'text', (c) => c.notNull())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('service', 'text')
    .addColumn('severity', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('starts_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint')
    .addColumn('labels', 'text', (c) => c.notNull())
    .addColumn('annotations', 'text', (c) => c.notNull())
    .addColumn('url', 'text')
    .addColumn('group_key', 'text')
    .addColumn('delivery_id', 'text', (c) => c.notNull().references('deliveries.id'))
    .addColumn('times', 'integer', (c) => c.notNull())
    .addColumn('first_at', 'bigint', (c) => c.notNull())
    .addColumn('last_at', 'bigint', (c) => c.notNull())
    .addColumn('decision', 'text')
    .addColumn('reason', 'text')
    .addColumn('incident_id', 'text', (c) => c.references('incidents.id'))
    .addUniqueConstraint('alerts_one_life', ['tenant', 'source', 'identity', 'starts_at'])
    .execute()
  // Partial: what waits is few among many, and the folder asks for it all the time.
  const unfolded = sql<boolean>`decision is null`
  await db.schema
    .createIndex('alerts_unfolded')
    .on('alerts')
    .columns(['first_at', 'starts_at', 'id'])
    .where(unfolded)
    .execute()
  await db.schema
    .createIndex('alerts_unfolded_by_severity')
    .on('alerts')
    .columns(['severity', 'first_at', 'starts_at', 'id'])
    .where(unfolded)
    .execute()
  await db.schema
    .createIndex('alerts_by_fingerprint')
    .on('alerts')
    .columns(['tenant', 'fingerprint', 'first_at'])
    .execute()
  await db.schema.createIndex('alerts_by_arrival').on('alerts').columns(['tenant', 'first_at']).execute()
  await db.schema.createIndex('alerts_by_decision').on('alerts').columns(['tenant', 'decision', 'first_at']).execute()
  await db.schema.createIndex('alerts_by_incident').on('alerts').columns(['incident_id', 'status']).execute()
  await db.schema
    .createIndex('alerts_of_incident')
    .on('alerts')
    .columns(['incident_id', 'first_at', 'starts_at', 'id'])
    .where(sql<boolean>`incident_id is not null`)
    .execute()
  await db.schema
    .createTable('incident_events')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('seq', 'integer', (c) => c.notNull())
    .addColumn('position', 'bigint', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('data', 'text')
    .addUniqueConstraint('incident_events_order', ['incident_id', 'seq'])
    .execute()
  await db.schema
    .createIndex('incident_events_live_one')
    .on('incident_events')
    .columns(['incident_id', 'position'])
    .execute()
  await db.schema.createIndex('incident_events_live').on('incident_events').columns(['tenant', 'position']).execute()
  await db.schema
    .createTable('incident_folds')
    .addColumn('incident_id', 'text', (c) => c.primaryKey().references('incidents.id'))
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('first_at', 'bigint', (c) => c.notNull())
    .addColumn('last_at', 'bigint', (c) => c.notNull())
    .addColumn('alerts', 'integer', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('incident_fold_keys')
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('incident_fold_keys_key', ['tenant', 'key', 'incident_id'])
    .execute()
  await db.schema.createIndex('incident_fold_keys_by_incident').on('incident_fold_keys').column('incident_id').execute()
  await db.schema
    .createTable('counters')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('value', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('changes')
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('summary', 'text', (c) => c.notNull())
    .addColumn('from_value', 'text')
    .addColumn('to_value', 'text')
    .addColumn('author', 'text')
    .addColumn('received_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('changes_key', ['tenant', 'id'])
    .execute()
  await db.schema.createIndex('changes_by_time').on('changes').columns(['tenant', 'at']).execute()
  await db.schema
    .createTable('approvals')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('risk', 'integer', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('requested_at', 'bigint', (c) => c.notNull())
    .addColumn('expires_at', 'bigint', (c) => c.notNull())
    .addColumn('decided_at', 'bigint')
    .addColumn('decided_by', 'text')
    .addColumn('reason', 'text')
    .execute()
  await db.schema.createIndex('approvals_by_incident').on('approvals').column('incident_id').execute()
  await db.schema
    .createTable('action_runs')
    .addColumn('id', 'text', (c) => c.primaryKey().references('approvals.id'))
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('finished_at', 'bigint')
    .addColumn('detail', 'text')
    .execute()
  await db.schema
    .createTable('feedback')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('verdict', 'text', (c) => c.notNull())
    .addColumn('service', 'text')
    .addColumn('kind', 'text')
    .addColumn('text', 'text')
    .execute()
}

async function addReturns(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('alerts').addColumn('sent_starts_at', 'bigint').execute()
  await db.schema.alterTable('alerts').addColumn('end_seen_at', 'bigint').execute()
  await (db as Kysely<IncidentTables>)
    .updateTable('alerts')
    .set((eb) => ({ end_seen_at: eb.ref('last_at') }))
    .where('status', '=', 'resolved')
    .execute()
  // Partial: few alerts return so.
  await db.schema
    .createIndex('alerts_returned')
    .on('alerts')
    .columns(['tenant', 'source', 'identity', 'sent_starts_at'])
    .where(sql<boolean>`sent_starts_at is not null`)
    .execute()
}

async function addSilence(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('alerts').addColumn('ends_by', 'bigint').execute()
  // Partial: what fires is few among many.
  await db.schema.createIndex('alerts_firing').on('alerts').column('last_at').where(stillFiring).execute()
}
