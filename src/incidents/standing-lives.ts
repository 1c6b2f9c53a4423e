// Lives of alerts whose senders do not repeat when they began: whatever fires goes on until its end is told, and what
// fires after that is another life. Where the sender says when something was so, that decides what came first; where it
// does not, the order of arrival does. What becomes worse meanwhile is told, and folded anew if it had been of no account.
import type { Db } from '../db/connect.ts'
import type { QueueTables } from '../db/queue.ts'
import { ECHO_MS, endLife, LIFE_COLUMNS, newRow, type Origin } from './alert-rows.ts'
import type { IncomingAlert } from './incoming-alert.ts'
import { mention } from './opening-words.ts'
import type { EndedAlert } from './recovery.ts'
import { worseOf } from './severity.ts'
import { addEvent } from './store.ts'
import type { AlertRow, IncidentTables } from './tables.ts'

type Tables = IncidentTables & QueueTables

const COLUMNS = [...LIFE_COLUMNS, 'name', 'service', 'severity', 'annotations', 'url', 'decision'] as const
type StandingLife = Pick<AlertRow, (typeof COLUMNS)[number]>

interface Stored {
  readonly ended: EndedAlert[]
  begun: number
  readonly touched: string[]
}

export async function storeStanding(
  trx: Db<Tables>,
  origin: Origin,
  alerts: readonly IncomingAlert[],
  nowMs: number,
): Promise<Stored> {
  const stored: Stored = { ended: [], begun: 0, touched: [] }
  for (const round of rounds(alerts)) await storeRound(trx, origin, round, nowMs, stored)
  return stored
}

/** In order, and none twice in one round: what comes later of the same alert has to see what came before. */
function rounds(alerts: readonly IncomingAlert[]): readonly (readonly IncomingAlert[])[] {
  const all: IncomingAlert[][] = []
  const seen = new Map<string, number>()
  for (const alert of alerts) {
    const round = seen.get(alert.identity) ?? 0
    seen.set(alert.identity, round + 1)
    const into = all[round]
    if (into) into.push(alert)
    else all.push([alert])
  }
  return all
}

async function storeRound(
  trx: Db<Tables>,
  origin: Origin,
  alerts: readonly IncomingAlert[],
  nowMs: number,
  stored: Stored,
): Promise<void> {
  const latest = await latestLives(trx, origin, alerts)
  const fresh: AlertRow[] = []
  const again: string[] = []
  for (const alert of alerts) {
    const life = latest.get(alert.identity)
    const meaning = life === undefined ? 'first' : meaningOf(life, alert, origin, nowMs)
    if (life === undefined || meaning === 'first') fresh.push(newRow(origin, alert, nowMs))
    else if (meaning === 'return') {
      // Never the moment at which the one before began.
      const startsAtMs = Math.max(alert.toldAtMs ?? nowMs, life.starts_at + 1)
      fresh.push(newRow(origin, { ...alert, startsAtMs }, nowMs))
    } else {
      again.push(life.id)
      if (meaning === 'end') stored.ended.push(...(await endLife(trx, life, alert, nowMs)))
      if (meaning === 'update') await update(trx, life, alert, nowMs, stored)
    }
  }
  if (fresh.length > 0) await trx.insertInto('alerts').values(fresh).execute()
  stored.begun += fresh.filter(({ decision }) => decision === null).length
  if (again.length === 0) return
  const counted = origin.duplicate ? 0 : 1
  await trx
    .updateTable('alerts')
    .set((eb) => ({ times: eb('times', '+', counted), last_at: nowMs }))
    .where('id', 'in', again)
    .execute()
}

/** The last life of each alert. */
async function latestLives(
  trx: Db<Tables>,
  { tenant, source }: Origin,
  alerts: readonly IncomingAlert[],
): Promise<ReadonlyMap<string, StandingLife>> {
  const rows = await trx
    .selectFrom('alerts as a')
    .select(COLUMNS.map((column) => `a.${column}` as const))
    .where('a.tenant', '=', tenant)
    .where('a.source', '=', source)
    .where(
      'a.identity',
      'in',
      alerts.map(({ identity }) => identity),
    )
    .where('a.starts_at', '=', (eb) =>
      eb
        .selectFrom('alerts as b')
        .select((inner) => inner.fn.max('b.starts_at').as('latest'))
        .whereRef('b.tenant', '=', 'a.tenant')
        .whereRef('b.source', '=', 'a.source')
        .whereRef('b.identity', '=', 'a.identity'),
    )
    .execute()
  return new Map(rows.map((row) => [row.identity, row]))
}

type Meaning = 'again' | 'update' | 'end' | 'return'

function meaningOf(life: StandingLife, alert: IncomingAlert, { duplicate }: Origin, nowMs: number): Meaning {
  const { toldAtMs } = alert
  if (alert.status === 'resolved') {
    // How an earlier life ended, told late, says nothing of the one that came after it.
    const late = toldAtMs !== null && toldAtMs < life.starts_at
    return life.status === 'firing' && !late ? 'end' : 'again'
  }
  if (life.status === 'firing') return 'update'
  if (toldAtMs !== null) return life.ends_at !== null && toldAtMs <= life.ends_at ? 'again' : 'return'
  // The very same words shortly after the end are a copy that was delayed.
  const echo = duplicate && life.end_seen_at !== null && nowMs - life.end_seen_at <= ECHO_MS
  return echo ? 'again' : 'return'
}

/** A firing alert that says something else of itself than before. */
async function update(
  trx: Db<Tables>,
  life: StandingLife,
  alert: IncomingAlert,
  nowMs: number,
  stored: Stored,
): Promise<void> {
  if (alert.partial || alert.decided !== null) return
  const annotations = JSON.stringify(alert.annotations)
  if (life.severity === alert.severity && life.annotations === annotations) return
  // What only informed was ignored for that; now somebody has to act.
  const anew = life.decision === 'ignored' && life.severity === 'info' && alert.severity !== 'info'
  await trx
    .updateTable('alerts')
    .set({
      severity: alert.severity,
      annotations,
      url: alert.url ?? life.url,
      ...(anew ? { decision: null, reason: null } : {}),
    })
    .where('id', '=', life.id)
    .execute()
  if (anew) stored.begun++
  if (life.incident_id !== null && life.severity !== alert.severity)
    await raise(trx, life.incident_id, life, alert.severity, nowMs, stored)
}

async function raise(
  trx: Db<Tables>,
  incidentId: string,
  { name, service }: StandingLife,
  severity: string,
  nowMs: number,
  stored: Stored,
): Promise<void> {
  const incident = await trx
    .selectFrom('incidents')
    .select(['severity', 'state'])
    .where('id', '=', incidentId)
    .executeTakeFirstOrThrow()
  if (incident.state === 'closed' || worseOf(incident.severity, severity) === incident.severity) return
  await trx.updateTable('incidents').set({ severity }).where('id', '=', incidentId).execute()
  const text = `${mention(name, service)} became worse. The severity is now ${severity}.`
  await addEvent(trx, incidentId, { at: nowMs, kind: 'alert', text })
  stored.touched.push(incidentId)
}
