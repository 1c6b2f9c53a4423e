// What was decided of an incident beside its folding, who was woken for it, and who stands in for whom. Times are ms since the
// epoch; JSON is text. An opening counts from 1: an incident that closed and opened again is routed and escalated anew.
import type { Kysely } from 'kysely'

export interface IncidentRoutingRow {
  incident_id: string
  tenant: string
  opening: number
  severity_rule: string
  severity_reason: string
  /** 1: a budget was seen to burn since it opened. */
  harmed: number
  kind: string
  kind_reason: string
  owner: string | null
  owner_reason: string
  /** JSON: a list of `Routed`. */
  routes: string
  assessed_at: number
}

export interface EscalationRow {
  incident_id: string
  opening: number
  team: string
  tenant: string
  state: 'running' | 'acknowledged' | 'exhausted' | 'ended'
  started_at: number
  ended_at: number | null
  /** Who acknowledged. */
  by: string | null
}

/** The once-only record of a step: written in the transaction that plans its news. */
export interface EscalationStepRow {
  incident_id: string
  opening: number
  team: string
  step: number
  at: number
  /** JSON: lists of texts for people. */
  told: string
  missing: string
  /** JSON: a list of `Target`. */
  targets: string
}

export interface OncallOverrideRow {
  id: string
  tenant: string
  team: string
  schedule: string
  person: string
  from_at: number
  /** Ended early, it is that moment. */
  to_at: number
  reason: string
  by: string
  created_at: number
}

export interface RoutingTables {
  incident_routing: IncidentRoutingRow
  escalations: EscalationRow
  escalation_steps: EscalationStepRow
  oncall_overrides: OncallOverrideRow
}

export async function createRoutingTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('incident_routing')
    .addColumn('incident_id', 'text', (c) => c.primaryKey().references('incidents.id'))
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('opening', 'integer', (c) => c.notNull())
    .addColumn('severity_rule', 'text', (c) => c.notNull())
    .addColumn('severity_reason', 'text', (c) => c.notNull())
    .addColumn('harmed', 'integer', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('kind_reason', 'text', (c) => c.notNull())
    .addColumn('owner', 'text')
    .addColumn('owner_reason', 'text', (c) => c.notNull())
    .addColumn('routes', 'text', (c) => c.notNull())
    .addColumn('assessed_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('escalations')
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('opening', 'integer', (c) => c.notNull())
    .addColumn('team', 'text', (c) => c.notNull())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('started_at', 'bigint', (c) => c.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('by', 'text')
    .addPrimaryKeyConstraint('escalations_once', ['incident_id', 'opening', 'team'])
    .execute()
  await db.schema
    .createTable('escalation_steps')
    .addColumn('incident_id', 'text', (c) => c.notNull().references('incidents.id'))
    .addColumn('opening', 'integer', (c) => c.notNull())
    .addColumn('team', 'text', (c) => c.notNull())
    .addColumn('step', 'integer', (c) => c.notNull())
    .addColumn('at', 'bigint', (c) => c.notNull())
    .addColumn('told', 'text', (c) => c.notNull())
    .addColumn('missing', 'text', (c) => c.notNull())
    .addColumn('targets', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('escalation_steps_once', ['incident_id', 'opening', 'team', 'step'])
    .execute()
  await db.schema
    .createTable('oncall_overrides')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant', 'text', (c) => c.notNull())
    .addColumn('team', 'text', (c) => c.notNull())
    .addColumn('schedule', 'text', (c) => c.notNull())
    .addColumn('person', 'text', (c) => c.notNull())
    .addColumn('from_at', 'bigint', (c) => c.notNull())
    .addColumn('to_at', 'bigint', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('by', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('oncall_overrides_by_end').on('oncall_overrides').columns(['tenant', 'to_at']).execute()
}
