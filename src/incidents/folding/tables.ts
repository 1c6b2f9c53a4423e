// The tables of folding, beside those of the incidents themselves. Times are ms since the epoch; JSON is text.
import { type Kysely, sql } from 'kysely'

/** What the folder remembers of an open incident; gone when it closes. */
export interface IncidentFoldRow {
  incident_id: string
  tenant: string
  /** The times of its first and its latest alert. */
  first_at: number
  last_at: number
  alerts: number
}

/** By what an alert finds an open incident: `service:checkout`, `fingerprint:…`, `group:…`, `place:…`. */
export interface IncidentFoldKeyRow {
  incident_id: string
  tenant: string
  key: string
}

/** The services an open incident is about, each with when it first hurt. Gone when it closes. */
export interface IncidentFoldServiceRow {
  incident_id: string
  service: string
  first_at: number
  alerts: number
}

/** The words of alerts of an open incident that name nothing. Gone when it closes. */
export interface IncidentFoldTextRow {
  incident_id: string
  tenant: string
  fingerprint: string
  /** JSON: `{scope, words}`, an `AlertText`. */
  words: string
  at: number
}

/** Asked for by a person: what matches is only kept, from one time to another. Ended early, `ends_at` is that moment. */
export interface SilenceRow {
  id: string
  tenant: string
  /** JSON: a list of matchers as they are written. */
  matchers: string
  starts_at: number
  ends_at: number
  author: string
  comment: string
  created_at: number
}

/** A firing alert that matches the source of an inhibition rule. */
export interface InhibitionSourceRow {
  tenant: string
  /** Hash of the rule. */
  rule: string
  /** Hash of the values of the labels that have to be equal. */
  equal_key: string
  alert_id: string
  /** 1 when the alert matches the rule's target too: then it holds back no other of that kind. */
  is_target: number
}

/** An alert that begins and ends again and again. */
export interface AlertFlapRow {
  tenant: string
  source: string
  identity: string
  incident_id: string
  name: string
  service: string | null
  /** How often it began since then. */
  times: number
  since: number
  last_change_at: number
}

/** An incident whose alerts are part of another one now. */
export interface IncidentMergeRow {
  incident_id: string
  into_id: string
  by: string
  at: number
}

/** What people taught by merging and splitting: two keys of alerts that belong together, or do not. */
export interface FoldingLessonRow {
  id: string
  tenant: string
  kind: 'apart' | 'together'
  /** `service:checkout` or `fingerprint:…`; `a` is the lesser one, so that a pair stands once. */
  a: string
  b: string
  /** For people: what was merged or split, and by which rule it had been folded. */
  reason: string
  by: string
  at: number
}

export interface FoldingTables {
  incident_merges: IncidentMergeRow
  folding_lessons: FoldingLessonRow
  incident_folds: IncidentFoldRow
  incident_fold_keys: IncidentFoldKeyRow
  incident_fold_services: IncidentFoldServiceRow
  incident_fold_texts: IncidentFoldTextRow
  silences: SilenceRow
  inhibition_sources: InhibitionSourceRow
  alert_flaps: AlertFlapRow
}

/** As a literal, so that a query matches the partial index that is made with it. */
export const mutedAndFiring = sql<boolean>`decision = 'muted' and status = 'firing'`

export async function createFoldingTables(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('alerts').addColumn('muted_by', 'text').execute()
  await db.schema.createIndex('alerts_muted').on('alerts').column('muted_by').where(mutedAndFiring).execute()
  await db.schema
    .createTable('incident_fold_services')
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('service', 'text', (c) => c.notNull())
    .addColumn('first_at', 'bigint', (c) => c.notNull())
    .addColumn('alerts', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('incident_fold_services_key', ['incident_id', 'service'])
    .execute()
  await db.schema
    .createTable('incident_fold_texts')
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .addColumn('words', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('incident_fold_texts_key', ['incident_id', 'fingerprint'])
    .execute()
  await db.schema
    .createIndex('incident_fold_texts_by_time')
    .on('incident_fold_texts')
    .columns(['tenant', 'at'])
    .execute()
  // What was open before these tables: its alerts say which services it is about.
  await sql`insert into incident_fold_services (incident_id, service, first_at, alerts)
    select f.incident_id, a.service, min(a.starts_at), count(*) from incident_folds f
    join alerts a on a.incident_id = f.incident_id where a.service is not null
    group by f.incident_id, a.service`.execute(db)
  await db.schema
    .createTable('silences')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('matchers', 'text', (c) => c.notNull())
    .addColumn('starts_at', 'bigint', (c) => c.notNull())
    .addColumn('ends_at', 'bigint', (c) => c.notNull())
    .addColumn('author', 'text', (c) => c.notNull())
    .addColumn('comment', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('silences_by_end').on('silences').columns(['tenant', 'ends_at']).execute()
  await db.schema
    .createTable('inhibition_sources')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('rule', 'text', (c) => c.notNull())
    .addColumn('equal_key', 'text', (c) => c.notNull())
    .addColumn('alert_id', 'text', (c) => c.notNull().references('alerts.id'))
    .addColumn('is_target', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('inhibition_sources_key', ['tenant', 'rule', 'equal_key', 'alert_id'])
    .execute()
  await db.schema.createIndex('inhibition_sources_by_alert').on('inhibition_sources').column('alert_id').execute()
  await db.schema
    .createTable('alert_flaps')
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('identity', 'text', (c) => c.notNull())
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('service', 'text')
    .addColumn('times', 'integer', (c) => c.notNull())
    .addColumn('since', 'bigint', (c) => c.notNull())
    .addColumn('last_change_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('alert_flaps_key', ['tenant', 'source', 'identity'])
    .execute()
  await db.schema.createIndex('alert_flaps_by_incident').on('alert_flaps').column('incident_id').execute()
}

/** For how often one alert began: by the arrival of all alerts, each of a storm would count all the others. */
export async function indexBeginnings(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('alerts_beginnings')
    .on('alerts')
    .columns(['tenant', 'source', 'identity', 'first_at'])
    .execute()
}

export async function createByHandTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('incident_merges')
    .addColumn('incident_id', 'text', (c) => c.primaryKey().references('incidents.id'))
    .addColumn('into_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('folding_lessons')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('a', 'text', (c) => c.notNull())
    .addColumn('b', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('folding_lessons_once', ['tenant', 'a', 'b'])
    .execute()
  await db.schema.createIndex('folding_lessons_by_b').on('folding_lessons').columns(['tenant', 'b']).execute()
}
