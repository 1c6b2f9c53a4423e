// Recorded alerts folded again, as they came, by other rules: in a database of its own that is thrown away, by the very code
// that folds the real ones. An incident closes there 15 s after its last alert ended, for nobody investigates.
import { auditMigrations } from '../../audit/tables.ts'
import type { Edge } from '../../core/telemetry.ts'
import { connectSqlite, type Db } from '../../db/connect.ts'
import { migrate } from '../../db/migrate.ts'
import { queueMigrations } from '../../db/queue.ts'
import { addEvent, moveIncident } from '../store.ts'
import { type AlertRow, incidentMigrations } from '../tables.ts'
import type { FoldingConfig } from './config.ts'
import { endFlapping, flapsOf, noteFlapEnded } from './flapping.ts'
import { foldAlert, type FoldTrx } from './fold.ts'
import { endMuting, openMuting } from './mute.ts'
import { createSenderClocks } from './sender-clocks.ts'
import type { SilenceRow } from './tables.ts'
import { nextWaiting } from './waiting-alerts.ts'

export interface Recording {
  /** Whatever was decided on them before does not matter. */
  readonly alerts: readonly AlertRow[]
  readonly silences: readonly SilenceRow[]
}

export interface Replayed {
  readonly id: string
  readonly decision: string
  readonly reason: string
  /** The alert that its incident began with, which names the incident across replays; null where it is in none. */
  readonly incidentOf: string | null
}

const CLOSES_AFTER_MS = 15_000

/** What would have been decided on each alert, in the order in which they came. */
export async function replay(
  { alerts, silences }: Recording,
  config: FoldingConfig,
  topology: readonly Edge[],
): Promise<readonly Replayed[]> {
  const connection = connectSqlite(':memory:')
  try {
    await migrate(connection, [...incidentMigrations, ...queueMigrations, ...auditMigrations])
    const db = connection.as<TablesOf<FoldTrx>>()
    await db.insertInto('deliveries').values(DELIVERY).execute()
    for (const silence of silences) await db.insertInto('silences').values(silence).execute()
    const clocks = createSenderClocks()
    for (const { atMs, rows, ended } of momentsOf(alerts)) {
      await db.transaction().execute(async (trx: FoldTrx) => {
        await closeCalm(trx, atMs)
        for (const row of rows) await trx.insertInto('alerts').values(asItCame(row)).execute()
        for (const row of ended) await endOne(trx, row, atMs)
      })
      await endMuting(db, config, atMs)
      await endFlapping(db, config.flapping, atMs)
      await db.transaction().execute(async (trx: FoldTrx) => {
        for (
          let waiting = await nextWaiting(trx, 200, []);
          waiting.length > 0;
          waiting = await nextWaiting(trx, 200, [])
        ) {
          const findMuting = await openMuting(trx, config, waiting, atMs)
          for (const row of waiting) await foldAlert(trx, row, { config, topology, clocks, findMuting, nowMs: atMs })
        }
      })
    }
    return await outcome(db)
  } finally {
    await connection.close()
  }
}

type TablesOf<T> = T extends Db<infer Tables> ? Tables : never

const DELIVERY = {
  id: 'dlv_replay',
  tenant: '',
  source: 'replay',
  body_hash: '',
  body: '',
  times: 1,
  first_at: 0,
  last_at: 0,
}

interface Moment {
  readonly atMs: number
  readonly rows: AlertRow[]
  readonly ended: AlertRow[]
}

/** When alerts came and when we were told of their ends, in order. */
function momentsOf(alerts: readonly AlertRow[]): readonly Moment[] {
  const moments = new Map<number, Moment>()
  const at = (atMs: number): Moment => {
    const moment = moments.get(atMs) ?? { atMs, rows: [], ended: [] }
    moments.set(atMs, moment)
    return moment
  }
  for (const row of alerts) {
    at(row.first_at).rows.push(row)
    const endMs = row.end_seen_at ?? row.ends_at
    if (endMs !== null && endMs > row.first_at) at(endMs).ended.push(row)
  }
  return [...moments.values()].sort((a, b) => a.atMs - b.atMs)
}

/** What was not known yet when it came is taken off. */
function asItCame(row: AlertRow): AlertRow {
  const endedBefore = row.status === 'resolved' && (row.end_seen_at ?? row.ends_at ?? 0) <= row.first_at
  return {
    ...row,
    ...(endedBefore ? {} : { status: 'firing' as const, ends_at: null, end_seen_at: null }),
    delivery_id: DELIVERY.id,
    decision: null,
    reason: null,
    incident_id: null,
    muted_by: null,
  }
}

async function endOne(trx: FoldTrx, { id, ends_at }: AlertRow, nowMs: number): Promise<void> {
  const patch = { status: 'resolved' as const, ends_at: ends_at ?? nowMs, end_seen_at: nowMs, last_at: nowMs }
  await trx.updateTable('alerts').set(patch).where('id', '=', id).execute()
  const row = await trx.selectFrom('alerts').select('incident_id').where('id', '=', id).executeTakeFirst()
  if (!row || row.incident_id === null) return
  await noteFlapEnded(trx, row.incident_id, [id], nowMs)
  await addEvent(trx, row.incident_id, { at: nowMs, kind: 'alert', text: 'An alert ended.' })
}

async function closeCalm(trx: FoldTrx, nowMs: number): Promise<void> {
  const calm = await trx
    .selectFrom('incidents as i')
    .select(['i.id', 'i.updated_at'])
    .where('i.state', '!=', 'closed')
    .where('i.updated_at', '<=', nowMs - CLOSES_AFTER_MS)
    .where((is) =>
      is.not(
        is.exists(
          is
            .selectFrom('alerts as a')
            .select('a.id')
            .whereRef('a.incident_id', '=', 'i.id')
            .where('a.status', '=', 'firing'),
        ),
      ),
    )
    .execute()
  for (const { id, updated_at } of calm) {
    if ((await flapsOf(trx, [id])).length > 0) continue
    const event = { at: updated_at + CLOSES_AFTER_MS, kind: 'closed', text: 'Closed.' }
    await moveIncident(trx, id, 'closed', { outcome: 'recovered' }, event)
  }
}

async function outcome(db: Db<TablesOf<FoldTrx>>): Promise<readonly Replayed[]> {
  const rows = await db
    .selectFrom('alerts')
    .select(['id', 'decision', 'reason', 'incident_id'])
    .orderBy('first_at')
    .orderBy('starts_at')
    .orderBy('id')
    .execute()
  const first = new Map<string, string>()
  for (const { id, incident_id } of rows)
    if (incident_id !== null && !first.has(incident_id)) first.set(incident_id, id)
  return rows.map(({ id, decision, reason, incident_id }) => ({
    id,
    decision: decision ?? 'waiting',
    reason: reason ?? '',
    incidentOf: incident_id === null ? null : (first.get(incident_id) ?? null),
  }))
}

export interface Difference {
  readonly id: string
  readonly before: Replayed
  readonly after: Replayed
}

/** Alerts that would be decided otherwise: by another rule, in another incident, or with others in it. */
export function compareReplays(before: readonly Replayed[], after: readonly Replayed[]): readonly Difference[] {
  const others = new Map(after.map((one) => [one.id, one]))
  return before.flatMap((one) => {
    const other = others.get(one.id)
    if (!other) return []
    const same = one.decision === other.decision && one.incidentOf === other.incidentOf && ruleOf(one) === ruleOf(other)
    return same ? [] : [{ id: one.id, before: one, after: other }]
  })
}

export const ruleOf = ({ reason }: Pick<Replayed, 'reason'>): string => reason.split(':', 1)[0] ?? ''
