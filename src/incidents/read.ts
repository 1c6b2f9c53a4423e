// Incidents as `/v1/incidents` shows them: rows in, the shapes of view.ts out. Every question names the tenant;
// what belongs to another one is not there.
import { z } from 'zod'
import type { Db } from '../db/connect.ts'
import { flapsOf } from './folding/flapping.ts'
import type { AlertFlapRow } from './folding/tables.ts'
import { readContext } from './context/read.ts'
import { findStop } from './investigation/acting/stop.ts'
import { resolvePast } from './memory/recall.ts'
import { proposedAction, report, type Report } from './report.ts'
import { alertViewOf } from './read-alerts.ts'
import { readRouting } from './routing/read.ts'
import { type ActionRunRow, type ApprovalRow, type IncidentRow, type IncidentTables, stillOpen } from './tables.ts'
import type { ApprovalView, EventView, IncidentSummary, IncidentView } from './view.ts'

export interface ListOptions {
  readonly tenant: string
  readonly state: 'open' | 'closed' | 'all'
  readonly limit: number
  /** Only incidents with a smaller number: the last one of the page before. */
  readonly before?: number | undefined
}

/** Newest first. */
export async function listIncidents(db: Db<IncidentTables>, options: ListOptions): Promise<readonly IncidentSummary[]> {
  let query = db.selectFrom('incidents').selectAll().where('tenant', '=', options.tenant)
  if (options.state === 'open') query = query.where(stillOpen)
  if (options.state === 'closed') query = query.where('state', '=', 'closed')
  if (options.before !== undefined) query = query.where('number', '<', options.before)
  const rows = await query.orderBy('number', 'desc').limit(options.limit).execute()
  const ids = rows.map(({ id }) => id)
  const counts = await countAlerts(db, ids)
  const flaps = await flapsOf(db, ids)
  return rows.map((row) => summaryOf(row, counts.get(row.id), flaps))
}

const ALERTS_SHOWN = 100
const EVENTS_SHOWN = 1000

export interface ReadOptions {
  readonly tenant: string
  /** From this risk on, an approval is asked for a second time. */
  readonly confirmFromRisk: number
}

/** One incident with everything about it, by its id or its number; undefined when the tenant has no such incident. */
export async function readIncident(
  db: Db<IncidentTables>,
  idOrNumber: string,
  options: ReadOptions,
): Promise<IncidentView | undefined> {
  const row = await findIncident(db, options.tenant, idOrNumber)
  if (!row) return undefined
  const counts = await countAlerts(db, [row.id])
  const flaps = await flapsOf(db, [row.id])
  const [approval = null, ...approvals] = await readApprovals(db, row.id, options.confirmFromRisk)
  const timeline = await readEvents(db, row.id)
  const told = await readTraces(db, row.id)
  const alerts = await db
    .selectFrom('alerts')
    .selectAll()
    .where('incident_id', '=', row.id)
    .orderBy('first_at')
    .orderBy('starts_at')
    .orderBy('id')
    .limit(ALERTS_SHOWN)
    .execute()
  return {
    ...summaryOf(row, counts.get(row.id), flaps),
    ...(told.length > 0 ? { told } : {}),
    report: row.report === null ? null : await readReport(db, row, row.report),
    feedback: await readFeedback(db, row.id),
    approval,
    approvals,
    ...(await readContext(db, row.id)),
    routing: await readRouting(db, row),
    timeline: [...timeline],
    alertList: alerts.map(alertViewOf),
    stopped: (await findStop(db, row.tenant)) ?? null,
  }
}

/** Where it was told. */
async function readTraces(db: Db<IncidentTables>, incidentId: string): Promise<NonNullable<IncidentView['told']>> {
  return await db
    .selectFrom('told_traces')
    .select(['channel', 'title', 'url'])
    .where('incident_id', '=', incidentId)
    .orderBy('at')
    .orderBy('channel')
    .orderBy('recipient')
    .execute()
}

/** With its references to earlier incidents looked up: what is gone by now is not shown. */
async function readReport(db: Db<IncidentTables>, row: IncidentRow, stored: string): Promise<Report> {
  const { past: told, ...rest } = report.parse(JSON.parse(stored))
  const { past } = await resolvePast(db, row.tenant, told, row.opened_at)
  return { ...rest, ...(past === undefined ? {} : { past }) }
}

async function readFeedback(db: Db<IncidentTables>, incidentId: string): Promise<IncidentView['feedback']> {
  const latest = await db
    .selectFrom('feedback')
    .select(['verdict', 'by', 'at', 'service', 'kind'])
    .where('incident_id', '=', incidentId)
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!latest || latest.verdict === 'withdrawn') return null
  return { ...latest, verdict: latest.verdict }
}

/** The row of an incident of this tenant, by its id or its number. */
export async function findIncident(
  db: Db<IncidentTables>,
  tenant: string,
  idOrNumber: string,
): Promise<IncidentRow | undefined> {
  const query = db.selectFrom('incidents').selectAll().where('tenant', '=', tenant)
  return await (
    /^\d{1,9}$/.test(idOrNumber) ? query.where('number', '=', Number(idOrNumber)) : query.where('id', '=', idOrNumber)
  ).executeTakeFirst()
}

/** The first ones, in order. */
async function readEvents(db: Db<IncidentTables>, incidentId: string): Promise<readonly EventView[]> {
  return await db
    .selectFrom('incident_events')
    .select(['seq', 'at', 'kind', 'text'])
    .where('incident_id', '=', incidentId)
    .orderBy('seq')
    .limit(EVENTS_SHOWN)
    .execute()
}

interface AlertCounts {
  readonly alerts: number
  readonly firing: number
}

async function countAlerts(db: Db<IncidentTables>, ids: readonly string[]): Promise<ReadonlyMap<string, AlertCounts>> {
  const counts = new Map<string, AlertCounts>()
  if (ids.length === 0) return counts
  const rows = await db
    .selectFrom('alerts')
    .select((eb) => ['incident_id', 'status', eb.fn.countAll<number>().as('n')])
    .where('incident_id', 'in', ids)
    .groupBy(['incident_id', 'status'])
    .execute()
  for (const { incident_id, status, n } of rows) {
    const { alerts, firing } = counts.get(incident_id ?? '') ?? { alerts: 0, firing: 0 }
    counts.set(incident_id ?? '', { alerts: alerts + n, firing: firing + (status === 'firing' ? n : 0) })
  }
  return counts
}

/** A list needs no more of a report than its first cause. */
const reportHead = z.object({
  causes: z.array(z.object({ service: z.string(), kind: z.string(), confidence: z.number() })),
})

function summaryOf(row: IncidentRow, counts: AlertCounts | undefined, flaps: readonly AlertFlapRow[]): IncidentSummary {
  const causes = row.report === null ? [] : reportHead.parse(JSON.parse(row.report)).causes
  return {
    id: row.id,
    number: row.number,
    state: row.state,
    outcome: row.outcome,
    severity: row.severity,
    title: row.title,
    sentence: row.sentence,
    service: row.service,
    cause: causes[0] ?? null,
    alerts: counts?.alerts ?? 0,
    firing: counts?.firing ?? 0,
    flapping: flaps
      .filter((flap) => flap.incident_id === row.id)
      .map(({ name, service, times, since }) => ({ name, service, times, sinceMs: since })),
    openedAt: row.opened_at,
    updatedAt: row.updated_at,
    closedAt: row.closed_at,
  }
}

/** Newest first. */
async function readApprovals(
  db: Db<IncidentTables>,
  incidentId: string,
  confirmFromRisk: number,
): Promise<ApprovalView[]> {
  const approvals = await db
    .selectFrom('approvals')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('requested_at', 'desc')
    .orderBy('id', 'desc')
    .execute()
  const runs = await db.selectFrom('action_runs').selectAll().where('incident_id', '=', incidentId).execute()
  const votes = await db
    .selectFrom('approval_votes')
    .innerJoin('approvals', 'approvals.id', 'approval_votes.approval_id')
    .select(['approval_votes.approval_id', 'approval_votes.by'])
    .where('approvals.incident_id', '=', incidentId)
    .orderBy('approval_votes.at')
    .execute()
  return approvals.map((row) =>
    approvalViewOf(
      row,
      runs.find((run) => run.id === row.id),
      votes.filter((vote) => vote.approval_id === row.id).map((vote) => vote.by),
      confirmFromRisk,
    ),
  )
}

function approvalViewOf(
  row: ApprovalRow,
  run: ActionRunRow | undefined,
  agreed: readonly string[],
  confirmFromRisk: number,
): ApprovalView {
  return {
    id: row.id,
    state: row.state,
    action: proposedAction.parse(JSON.parse(row.action)),
    confirm: row.risk >= confirmFromRisk,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
    reason: row.reason,
    run: run
      ? {
          state: run.state,
          startedAt: run.started_at,
          finishedAt: run.finished_at,
          detail: run.detail,
          verdict: run.verdict,
        }
      : null,
    people: { needed: row.people ?? 1, agreed: [...agreed] },
    requestedBy: row.requested_by,
    undoOf: row.undo_of,
    undoIfWorse: row.undo_named === 1,
  }
}
