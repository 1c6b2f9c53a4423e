// Closed incidents for tests of the memory: made the way the product leaves them, with alerts, a report and an outcome.
import type { FaultKind } from '../../core/fault-kinds.ts'
import type { QueueTables } from '../../db/queue.ts'
import type { Db } from '../../db/connect.ts'
import type { Cause } from '../../diagnosis/evidence.ts'
import type { Report } from '../report.ts'
import type { IncidentTables } from '../tables.ts'

type MemoryDb = Db<IncidentTables & QueueTables>

export const DAY_MS = 86_400_000
export const NOW_MS = Date.UTC(2026, 10, 26, 3)

export interface Trouble {
  readonly number: number
  readonly service: string
  readonly kind: FaultKind
  /** What moved, by metric and service; the first moved first. */
  readonly moved: readonly (readonly [service: string, metric: string])[]
  readonly template?: string
  readonly alerts?: readonly (readonly [service: string | null, name: string])[]
  readonly summary?: string
  readonly daysAgo?: number
  /** The title of an action that was carried out and verified. */
  readonly fixedBy?: string
  readonly tenant?: string
}

export const idOf = (number: number): string => `inc_${String(number).padStart(4, '0')}`

export function causeOf({ service, kind, moved, template }: Trouble, score = 5): Cause {
  const evidence: Cause['evidence'] = moved.map(([where, metric], i) => ({
    id: `e${i + 1}`,
    claim: `${metric} of ${where} rose`,
    weight: 1,
    ref: {
      kind: 'series',
      service: where,
      metric,
      labels: {},
      query: metric,
      unit: '1',
      fromMs: 0,
      toMs: 100_000,
      onsetMs: 1000 * (i + 1),
      before: 1,
      after: 9,
      points: [],
    },
  }))
  if (template !== undefined)
    evidence.push({
      id: `e${evidence.length + 1}`,
      claim: `${service} wrote something new`,
      weight: 1,
      ref: { kind: 'log', service, template, countBefore: 0, countAfter: 12, lines: [] },
    })
  return { service, kind, metric: moved[0]?.[1] ?? '', score, confidence: 0.9, onset: 1000, evidence, against: [] }
}

/** Stores an incident that closed, with everything a case is made of. */
export async function closeTrouble(db: MemoryDb, trouble: Trouble): Promise<string> {
  const { number, service, daysAgo = 3, fixedBy, tenant = 'default', summary = '' } = trouble
  const id = idOf(number)
  const closedAt = NOW_MS - daysAgo * DAY_MS
  const openedAt = closedAt - 600_000
  const cause = causeOf(trouble)
  const report: Report = {
    sentence: `Shop fails because of ${service}.`,
    writtenBy: 'rules',
    effect: 'shop fails',
    causes: [cause],
    abstained: false,
    ruledOut: [],
    missing: [],
    map: { services: [], edges: [] },
    looked: { series: 1, logLines: 0, changes: 0, tookMs: 1 },
    blind: [],
    claimsRemoved: 0,
    diagnosedAt: openedAt + 60_000,
  }
  await db
    .insertInto('incidents')
    .values({
      id,
      tenant,
      number,
      state: 'closed',
      outcome: fixedBy === undefined ? 'recovered' : 'fixed',
      severity: 'critical',
      title: 'Shop errors',
      sentence: report.sentence,
      service: 'shop',
      opened_at: openedAt,
      updated_at: closedAt,
      closed_at: closedAt,
      report: JSON.stringify(report),
    })
    .execute()
  await addAlerts(db, id, trouble.alerts ?? [['shop', 'ShopErrors']], openedAt, tenant, summary)
  if (fixedBy !== undefined) await addFix(db, id, service, fixedBy, openedAt)
  return id
}

async function addAlerts(
  db: MemoryDb,
  incidentId: string,
  alerts: NonNullable<Trouble['alerts']>,
  at: number,
  tenant: string,
  summary: string,
): Promise<void> {
  const delivery = `dlv_${incidentId}`
  const times = { times: 1, first_at: at, last_at: at }
  await db
    .insertInto('deliveries')
    .values({ id: delivery, tenant, source: 'test', body_hash: incidentId, body: '{}', ...times })
    .execute()
  for (const [i, [service, name]] of alerts.entries())
    await db
      .insertInto('alerts')
      .values({
        id: `alt_${incidentId}_${i}`,
        tenant,
        source: 'test',
        identity: `${incidentId} ${i}`,
        fingerprint: name,
        name,
        service,
        severity: 'critical',
        status: 'resolved',
        starts_at: at,
        ends_at: at + 500_000,
        labels: '{}',
        annotations: JSON.stringify({ summary }),
        url: null,
        delivery_id: delivery,
        ...times,
        decision: 'opened',
        reason: null,
        incident_id: incidentId,
      })
      .execute()
}

async function addFix(db: MemoryDb, incidentId: string, service: string, title: string, at: number): Promise<void> {
  const action = JSON.stringify({
    name: 'roll-back',
    does: 'roll-back',
    service,
    parameters: {},
    title,
    expected: 'errors end',
    undo: 'deploy again',
    touches: service,
    risk: 3,
    riskReasons: [],
    ifNothing: 'it goes on',
  })
  const id = `apr_${incidentId}`
  await db
    .insertInto('approvals')
    .values({
      id,
      incident_id: incidentId,
      action,
      risk: 3,
      state: 'approved',
      requested_at: at,
      expires_at: at + 1e6,
      decided_at: at,
      decided_by: 'Ada',
      reason: null,
    })
    .execute()
  await db
    .insertInto('action_runs')
    .values({ id, incident_id: incidentId, action, state: 'done', started_at: at, finished_at: at, detail: null })
    .execute()
}

export async function say(
  db: MemoryDb,
  number: number,
  verdict: 'right' | 'wrong' | 'withdrawn',
  really: { service?: string; kind?: FaultKind; at?: number } = {},
): Promise<void> {
  const { service = null, kind = null, at = NOW_MS } = really
  await db
    .insertInto('feedback')
    .values({ id: `fbk_${number}_${at}`, incident_id: idOf(number), at, by: 'Ada', verdict, service, kind, text: null })
    .execute()
}
