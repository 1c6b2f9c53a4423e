// An incident as people outside are told of it: what every channel needs to write its own words, and every text of it made
// plain, since it may quote what a stranger wrote and whoever is told makes links of what looks like one.
import type { Db } from '../../db/connect.ts'
import { readIncident } from '../read.ts'
import { acknowledgedBy, latestOpening } from '../routing/context.ts'
import type { IncidentTables } from '../tables.ts'
import { tellPlainly } from '../told-text.ts'
import type { ApprovalView, IncidentSummary, IncidentView } from '../view.ts'

export interface ToldApproval {
  readonly id: string
  readonly state: ApprovalView['state']
  /** "Roll inventory back to 7e10b". */
  readonly title: string
  readonly expected: string
  readonly undo: string
  readonly touches: string
  /** 0 to 10. */
  readonly risk: number
  readonly riskReasons: readonly string[]
  /** Whether a second, deliberate act is asked for. */
  readonly confirm: boolean
  readonly needed: number
  readonly agreed: readonly string[]
  readonly expiresAt: number
  readonly decidedBy: string | null
  readonly reason: string | null
  readonly run: { readonly state: string; readonly detail: string | null; readonly verdict: string | null } | null
}

export interface ToldIncident extends Pick<
  IncidentSummary,
  'id' | 'number' | 'severity' | 'state' | 'outcome' | 'service' | 'openedAt' | 'closedAt' | 'alerts' | 'firing'
> {
  readonly tenant: string
  readonly title: string
  /** The sentence that is the same on every face. */
  readonly sentence: string
  /** Where people open it in Midwatch. */
  readonly url: string
  readonly cause: IncidentSummary['cause']
  /** What users feel: "checkout fails for 31 % of requests"; null before it is known. */
  readonly effect: string | null
  /** The claims of the first cause, each with its numbers. */
  readonly evidence: readonly string[]
  /** What would settle it, when it is not settled. */
  readonly missing: readonly string[]
  /** "Third time this month, …"; null where nothing alike is known. */
  readonly past: string | null
  /** When it opened, the last time. */
  readonly begunAt: number
  /** Whether somebody looks after it, since then. */
  readonly isAcknowledged: boolean
  /** The number of the incident that it is part of now; null where it is its own. */
  readonly mergedInto: number | null
  /** The latest, whatever became of it. */
  readonly approval: ToldApproval | null
}

export interface ReadToldOptions {
  readonly publicUrl: string
  readonly confirmFromRisk: number
}

/** Undefined where there is no such incident any more. */
export async function readTold(
  db: Db<IncidentTables>,
  incidentId: string,
  { publicUrl, confirmFromRisk }: ReadToldOptions,
): Promise<ToldIncident | undefined> {
  const found = await db.selectFrom('incidents').select('tenant').where('id', '=', incidentId).executeTakeFirst()
  if (!found) return undefined
  const view = await readIncident(db, incidentId, { tenant: found.tenant, confirmFromRisk })
  if (!view) return undefined
  const url = `${publicUrl.replace(/\/+$/, '')}/incidents/${incidentId}`
  return toldOf(view, {
    tenant: found.tenant,
    url,
    begunAt: (await latestOpening(db, incidentId))?.at ?? view.openedAt,
    isAcknowledged: (await acknowledgedBy(db, incidentId)) !== undefined,
    mergedInto: await readMergedInto(db, incidentId),
  })
}

async function readMergedInto(db: Db<IncidentTables>, incidentId: string): Promise<number | null> {
  const into = await db
    .selectFrom('incident_merges as m')
    .innerJoin('incidents as i', 'i.id', 'm.into_id')
    .select('i.number')
    .where('m.incident_id', '=', incidentId)
    .executeTakeFirst()
  return into?.number ?? null
}

type Beside = Pick<ToldIncident, 'tenant' | 'url' | 'begunAt' | 'isAcknowledged' | 'mergedInto'>

function toldOf(view: IncidentView, beside: Beside): ToldIncident {
  const { id, number, severity, state, outcome, openedAt, closedAt, alerts, firing, report } = view
  return {
    ...beside,
    id,
    number,
    severity,
    state,
    outcome,
    openedAt,
    closedAt,
    alerts,
    firing,
    service: view.service === null ? null : tellPlainly(view.service),
    title: tellPlainly(view.title),
    sentence: tellPlainly(view.sentence),
    cause: view.cause && { ...view.cause, service: tellPlainly(view.cause.service) },
    effect: report ? tellPlainly(report.effect) : null,
    evidence: (report?.causes[0]?.evidence ?? []).map(({ claim }) => tellPlainly(claim)),
    missing: (report?.missing ?? []).map(tellPlainly),
    past: report?.past && report.past.sentence !== '' ? tellPlainly(report.past.sentence) : null,
    approval: view.approval && approvalOf(view.approval),
  }
}

function approvalOf({ action, run, people, reason, ...approval }: ApprovalView): ToldApproval {
  const { id, state, confirm, expiresAt, decidedBy } = approval
  return {
    id,
    state,
    confirm,
    expiresAt,
    decidedBy,
    title: tellPlainly(action.title),
    expected: tellPlainly(action.expected),
    undo: tellPlainly(action.undo),
    touches: tellPlainly(action.touches),
    risk: action.risk,
    riskReasons: action.riskReasons.map(tellPlainly),
    needed: people?.needed ?? 1,
    agreed: people?.agreed ?? [],
    reason: reason === null ? null : tellPlainly(reason),
    run: run && {
      state: run.state,
      detail: run.detail === null ? null : tellPlainly(run.detail),
      verdict: run.verdict ?? null,
    },
  }
}
