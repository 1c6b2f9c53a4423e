// The report over a week (or any other stretch): what came in, what became of it, how long it took, how often the agent was
// right, what it cost. weekly-view.ts says exactly what each figure means. Every question names the tenant, is bounded, and
// runs along an index.
import { z } from 'zod'
import type { Db } from '../../db/connect.ts'
import { believableStart } from '../alert-times.ts'
import { byChunks } from '../by-chunks.ts'
import { caseDetail } from '../memory/case.ts'
import { proposedAction } from '../report.ts'
import type { IncidentRow, IncidentTables } from '../tables.ts'
import { countAlerts } from './alert-figures.ts'
import { spreadOf } from './spread.ts'
import type { WeeklyReport } from './weekly-view.ts'

/** `fromMs` is included, `toMs` is not. */
export interface Stretch {
  readonly tenant: string
  readonly fromMs: number
  readonly toMs: number
}

/** What the agent's model calls used in a stretch; null where nobody tells them apart. */
export type ModelCost = (stretch: Stretch) => Promise<WeeklyReport['model']>

type Incident = Pick<IncidentRow, 'id' | 'number' | 'state' | 'outcome' | 'opened_at' | 'closed_at'>
interface Named {
  readonly at: number
  readonly cause: { readonly service: string; readonly kind: string } | null
}

const MOST_INCIDENTS = 5000
const RECURRING_DAYS = 30
const RECURRING_TOLD = 10
const DAY_MS = 86_400_000
/** An onset further before the first alert than this belongs to something else. */
const MOST_LEAD_MS = 3_600_000

export async function makeWeeklyReport(
  db: Db<IncidentTables>,
  stretch: Stretch,
  modelCost: ModelCost,
): Promise<WeeklyReport> {
  const incidents = await incidentsOf(db, stretch)
  const ids = incidents.map(({ id }) => id)
  const diagnosed = await diagnosesOf(db, ids)
  const named = incidents.filter(({ id }) => diagnosed.get(id)?.latest.cause)
  return {
    from: stretch.fromMs,
    to: stretch.toMs,
    alerts: await countAlerts(db, stretch),
    incidents: {
      opened: incidents.length,
      fixed: incidents.filter(({ outcome }) => outcome === 'fixed').length,
      recovered: incidents.filter(({ outcome }) => outcome === 'recovered').length,
      stillOpen: incidents.filter(({ state }) => state !== 'closed').length,
      causeNamed: named.length,
      abstained: incidents.filter(({ id }) => diagnosed.get(id)?.latest.cause === null).length,
      cutShort: incidents.length >= MOST_INCIDENTS,
    },
    times: {
      detect: spreadOf(await detectTimes(db, incidents)),
      diagnose: spreadOf(
        named.flatMap(({ id, opened_at }) => {
          const first = diagnosed.get(id)?.firstNamedAt ?? null
          return first === null ? [] : [first - opened_at]
        }),
      ),
      approve: spreadOf(await approveTimes(db, ids)),
      resolve: spreadOf(await resolveTimes(db, incidents)),
    },
    model: await modelCost(stretch),
    right: await countRight(db, incidents),
    recurring: await recurringOf(db, stretch, incidents, diagnosed),
    actions: await actionsOf(db, incidents),
  }
}

const incidentsOf = (db: Db<IncidentTables>, { tenant, fromMs, toMs }: Stretch): Promise<readonly Incident[]> =>
  db
    .selectFrom('incidents')
    .select(['id', 'number', 'state', 'outcome', 'opened_at', 'closed_at'])
    .where('tenant', '=', tenant)
    .where('opened_at', '>=', fromMs)
    .where('opened_at', '<', toMs)
    .orderBy('opened_at')
    .limit(MOST_INCIDENTS)
    .execute()

const toldCause = z.object({ service: z.string(), kind: z.string() })

/** Out of the timelines: what each look found. Reports hold whole series, and thousands of them would be much to read. */
async function diagnosesOf(db: Db<IncidentTables>, ids: readonly string[]) {
  const rows = await byChunks(ids, (some) =>
    db
      .selectFrom('incident_events')
      .select(['incident_id', 'at', 'data'])
      .where('incident_id', 'in', some)
      .where('kind', '=', 'diagnosed')
      .orderBy('incident_id')
      .orderBy('seq')
      .execute(),
  )
  const found = new Map<string, { firstNamedAt: number | null; latest: Named }>()
  for (const { incident_id, at, data } of rows) {
    const told = toldCause.safeParse(data === null ? null : JSON.parse(data))
    const latest = { at, cause: told.success ? told.data : null }
    const firstNamedAt = found.get(incident_id)?.firstNamedAt ?? (told.success ? at : null)
    found.set(incident_id, { firstNamedAt, latest })
  }
  return found
}

async function detectTimes(db: Db<IncidentTables>, incidents: readonly Incident[]): Promise<readonly number[]> {
  const ids = incidents.map(({ id }) => id)
  const alerts = await byChunks(ids, (some) =>
    db
      .selectFrom('alerts')
      .select((eb) => ['incident_id', eb.fn.min('starts_at').as('starts_at'), eb.fn.min('first_at').as('first_at')])
      .where('incident_id', 'in', some)
      .groupBy('incident_id')
      .execute(),
  )
  const cases = await byChunks(ids, (some) =>
    db
      .selectFrom('incident_cases')
      .select(['incident_id', 'detail'])
      .where('incident_id', 'in', some)
      .where('erased_at', 'is', null)
      .execute(),
  )
  const onsets = new Map(
    cases.map((one) => [one.incident_id, caseDetail.parse(JSON.parse(one.detail)).onsets[0]?.atMs]),
  )
  const first = new Map(alerts.map((one) => [one.incident_id, believableStart(one.starts_at, one.first_at)]))
  return incidents.flatMap(({ id, opened_at }) => {
    const alert = first.get(id)
    if (alert === undefined) return []
    const onset = onsets.get(id) ?? alert
    const began = onset < alert && alert - onset <= MOST_LEAD_MS ? onset : alert
    return [opened_at - began]
  })
}

async function approveTimes(db: Db<IncidentTables>, ids: readonly string[]): Promise<readonly number[]> {
  const rows = await byChunks(ids, (some) =>
    db
      .selectFrom('approvals')
      .select(['requested_at', 'decided_at'])
      .where('incident_id', 'in', some)
      .where('state', 'in', ['approved', 'refused'])
      .where('decided_by', 'is not', null)
      // Where nobody had to agree it was decided in the moment it was proposed: by the policy, or beforehand.
      .where((is) => is.or([is('people', 'is', null), is('people', '>', 0)]))
      .execute(),
  )
  return rows.flatMap(({ requested_at, decided_at }) => (decided_at === null ? [] : [decided_at - requested_at]))
}

/** What was merged into another incident did not end when it was closed: the other goes on with its alerts. */
async function resolveTimes(db: Db<IncidentTables>, incidents: readonly Incident[]): Promise<readonly number[]> {
  const merges = await byChunks(
    incidents.map(({ id }) => id),
    (some) => db.selectFrom('incident_merges').select('incident_id').where('incident_id', 'in', some).execute(),
  )
  const merged = new Set(merges.map(({ incident_id }) => incident_id))
  return incidents.flatMap(({ id, opened_at, closed_at }) =>
    closed_at === null || merged.has(id) ? [] : [closed_at - opened_at],
  )
}

async function countRight(db: Db<IncidentTables>, incidents: readonly Incident[]): Promise<WeeklyReport['right']> {
  const ids = incidents.map(({ id }) => id)
  const said = await byChunks(ids, (some) =>
    db
      .selectFrom('feedback')
      .select(['incident_id', 'verdict'])
      .where('incident_id', 'in', some)
      .orderBy('at')
      .orderBy('id')
      .execute(),
  )
  const latest = [...new Map(said.map(({ incident_id, verdict }) => [incident_id, verdict])).values()]
  const done = await byChunks(ids, (some) =>
    db
      .selectFrom('action_runs')
      .select('incident_id')
      .where('incident_id', 'in', some)
      .where('state', '=', 'done')
      .execute(),
  )
  const acted = new Set(done.map(({ incident_id }) => incident_id))
  const over = incidents.filter(({ id, state }) => acted.has(id) && state === 'closed')
  const count = (verdict: string) => latest.filter((one) => one === verdict).length
  const [saidRight, saidWrong] = [count('right'), count('wrong')]
  const mended = over.filter(({ outcome }) => outcome === 'fixed').length
  return {
    saidRight,
    saidWrong,
    byFeedback: share(saidRight, saidWrong),
    mended,
    notMended: over.length - mended,
    byFix: share(mended, over.length - mended),
  }
}

const share = (part: number, rest: number): number | null => (part + rest === 0 ? null : part / (part + rest))

async function recurringOf(
  db: Db<IncidentTables>,
  { tenant, fromMs }: Stretch,
  incidents: readonly Incident[],
  diagnosed: ReadonlyMap<string, { readonly latest: Named }>,
): Promise<WeeklyReport['recurring']> {
  const before = await incidentsOf(db, { tenant, fromMs: fromMs - RECURRING_DAYS * DAY_MS, toMs: fromMs })
  const causesBefore = await diagnosesOf(
    db,
    before.map(({ id }) => id),
  )
  const found = new Map<string, WeeklyReport['recurring'][number]>()
  const count = (which: 'inTime' | 'before', list: readonly Incident[], causes: typeof diagnosed): void => {
    for (const { id, number } of list) {
      const cause = causes.get(id)?.latest.cause
      if (!cause) continue
      const key = JSON.stringify([cause.service, cause.kind])
      const { service, kind } = cause
      const known = found.get(key) ?? { service, kind, inTime: 0, before: 0, incidents: [] }
      known[which]++
      known.incidents.push(number)
      found.set(key, known)
    }
  }
  count('inTime', incidents, diagnosed)
  count('before', before, causesBefore)
  return [...found.values()]
    .filter(({ inTime, before }) => inTime > 0 && inTime + before > 1)
    .map((one) => ({ ...one, incidents: one.incidents.sort((a, b) => b - a).slice(0, 10) }))
    .sort((a, b) => b.inTime + b.before - a.inTime - a.before || (a.service < b.service ? -1 : 1))
    .slice(0, RECURRING_TOLD)
}

const actionName = proposedAction.pick({ name: true })

async function actionsOf(db: Db<IncidentTables>, incidents: readonly Incident[]): Promise<WeeklyReport['actions']> {
  const rows = await byChunks(
    incidents.map(({ id }) => id),
    (some) =>
      db
        .selectFrom('approvals')
        .leftJoin('action_runs', 'action_runs.id', 'approvals.id')
        .innerJoin('incidents', 'incidents.id', 'approvals.incident_id')
        .select(['approvals.action', 'approvals.state as decision', 'action_runs.state as run', 'incidents.outcome'])
        .where('approvals.incident_id', 'in', some)
        .execute(),
  )
  const found = new Map<string, WeeklyReport['actions'][number]>()
  for (const { action, decision, run, outcome } of rows) {
    const { name } = actionName.parse(JSON.parse(action))
    const none = { proposed: 0, approved: 0, refused: 0, expiredOrVoid: 0, done: 0, failed: 0, uncertain: 0, helped: 0 }
    const one = found.get(name) ?? { name, ...none }
    one.proposed++
    if (decision === 'approved') one.approved++
    if (decision === 'refused') one.refused++
    if (decision === 'expired' || decision === 'void') one.expiredOrVoid++
    if (run === 'done') one.done++
    if (run === 'failed') one.failed++
    // Begun, and nobody has learnt yet how it ended.
    if (run === 'uncertain' || run === 'intended') one.uncertain++
    if (run === 'done' && outcome === 'fixed') one.helped++
    found.set(name, one)
  }
  return [...found.values()].sort((a, b) => b.proposed - a.proposed || (a.name < b.name ? -1 : 1))
}
