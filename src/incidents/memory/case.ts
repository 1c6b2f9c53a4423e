// What is kept of an incident beyond its signature: what was done, how it ended, how long everything took. Small, and made
// only of what Midwatch itself concluded, so that a case can be told without the incident.
import { z } from 'zod'
import { FAULT_KINDS } from '../../core/fault-kinds.ts'
import type { Db } from '../../db/connect.ts'
import { cleanText } from '../clean-text.ts'
import { proposedAction, report } from '../report.ts'
import type { IncidentRow, IncidentTables } from '../tables.ts'
import { type Signature, signatureOf, signatureSchema } from './signature.ts'
import type { CauseName } from './standing.ts'
import type { CaseRow } from './tables.ts'

const MAX_TEXT = 500
/** Alerts that a case is known by; a storm has more. */
const MOST_ALERTS = 500

export const caseDetail = z.object({
  title: z.string(),
  sentence: z.string(),
  /** Claims that stood for the cause, as they were worded. */
  evidence: z.array(z.string()),
  /** What came first, by service. */
  onsets: z.array(z.object({ service: z.string(), atMs: z.number() })),
  actions: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      service: z.string(),
      state: z.enum(['done', 'failed', 'uncertain', 'intended', 'refused', 'expired', 'void', 'pending']),
      undo: z.string(),
      expected: z.string(),
    }),
  ),
  /** An action was carried out for certain, and what showed the trouble went back to normal after it. */
  mended: z.boolean(),
  /** From the opening; null where it did not come to that. */
  diagnosedAfterMs: z.number().nullable(),
  actedAfterMs: z.number().nullable(),
})
export type CaseDetail = z.infer<typeof caseDetail>

/** Of a case of which nothing is known, or nothing may be known any more. */
export const NO_DETAIL: CaseDetail = {
  title: '',
  sentence: '',
  evidence: [],
  onsets: [],
  actions: [],
  mended: false,
  diagnosedAfterMs: null,
  actedAfterMs: null,
}

export interface Case {
  readonly incidentId: string
  readonly number: number
  readonly openedAt: number
  readonly closedAt: number
  readonly outcome: CaseRow['outcome']
  readonly signature: Signature
  readonly cause: CauseName | null
  readonly detail: CaseDetail
}

export function caseOf(row: CaseRow): Case {
  const kind = FAULT_KINDS.find((one) => one === row.cause_kind)
  return {
    incidentId: row.incident_id,
    number: row.number,
    openedAt: row.opened_at,
    closedAt: row.closed_at,
    outcome: row.outcome,
    signature: signatureSchema.parse(JSON.parse(row.signature)),
    cause: row.cause_service !== null && kind !== undefined ? { service: row.cause_service, kind } : null,
    detail: caseDetail.parse(JSON.parse(row.detail)),
  }
}

/** The row of a closed incident, as it would be kept now. */
export async function makeCase(db: Db<IncidentTables>, incident: IncidentRow): Promise<CaseRow> {
  const found = incident.report === null ? null : report.parse(JSON.parse(incident.report))
  const causes = found?.abstained === false ? found.causes : []
  const [cause] = causes
  const runs = await db.selectFrom('action_runs').selectAll().where('incident_id', '=', incident.id).execute()
  const approvals = await db
    .selectFrom('approvals')
    .selectAll()
    .where('incident_id', '=', incident.id)
    .orderBy('requested_at')
    .execute()
  const actions = approvals.map((approval) => {
    const { name, title, service, undo, expected } = proposedAction.parse(JSON.parse(approval.action))
    const run = runs.find(({ id }) => id === approval.id)
    // Approved and not carried out: the incident ended first.
    const state = run?.state ?? (approval.state === 'approved' ? 'void' : approval.state)
    return { name, title: clip(title), service, state, undo: clip(undo), expected: clip(expected) } as const
  })
  const onsets = (cause?.evidence ?? []).flatMap(({ ref }) =>
    ref.kind === 'series' && ref.onsetMs !== null ? [{ service: ref.service, atMs: ref.onsetMs }] : [],
  )
  const acted = runs.map(({ started_at }) => started_at)
  const detail: CaseDetail = {
    title: clip(incident.title),
    sentence: clip(incident.sentence),
    evidence: (cause?.evidence ?? []).slice(0, 8).map(({ claim }) => clip(claim)),
    onsets: onsets.sort((a, b) => a.atMs - b.atMs).slice(0, 12),
    actions,
    mended: incident.outcome === 'fixed' && runs.some(({ state }) => state === 'done'),
    diagnosedAfterMs: found === null ? null : found.diagnosedAt - incident.opened_at,
    actedAfterMs: acted.length === 0 ? null : Math.min(...acted) - incident.opened_at,
  }
  return {
    incident_id: incident.id,
    tenant: incident.tenant,
    number: incident.number,
    opened_at: incident.opened_at,
    closed_at: incident.closed_at ?? incident.updated_at,
    outcome: incident.outcome,
    signature: JSON.stringify(signatureOf({ alerts: await alertTexts(db, incident.id), causes })),
    cause_service: cause?.service ?? null,
    cause_kind: cause?.kind ?? null,
    confidence: cause?.confidence ?? null,
    detail: JSON.stringify(detail),
    erased_at: null,
  }
}

/** What the alerts of an incident say, in the form that a signature is made of. */
export async function alertTexts(
  db: Db<IncidentTables>,
  incidentId: string,
): Promise<readonly { service: string | null; name: string; summary: string }[]> {
  const rows = await db
    .selectFrom('alerts')
    .select(['service', 'name', 'annotations'])
    .where('incident_id', '=', incidentId)
    .orderBy('starts_at')
    .orderBy('id')
    .limit(MOST_ALERTS)
    .execute()
  return rows.map(({ service, name, annotations }) => ({ service, name, summary: summaryIn(annotations) }))
}

const annotationTexts = z.object({ summary: z.string().catch(''), description: z.string().catch('') })

function summaryIn(annotations: string): string {
  const { summary, description } = annotationTexts.parse(JSON.parse(annotations))
  return summary === '' ? description : summary
}

const clip = (text: string): string => cleanText(text, MAX_TEXT)
