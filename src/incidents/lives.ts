// What a delivered alert says of the lives of alerts that are known: a first word, another one, an end, or a return.
// (Those whose sender does not repeat when they began are in standing-lives.ts.)
// Once a life has ended it stays ended, for senders in pairs go on for a moment saying `firing` of what the other has
// resolved. Past that moment `firing` is meant: an alert that Alertmanager gave up by timeout fires again with the
// beginning it had, and is a new life then, which begins when we hear of it.
import type { Db } from '../db/connect.ts'
import type { QueueTables } from '../db/queue.ts'
import { ECHO_MS, endLife, type Life, LIFE_COLUMNS, newRow, type Origin } from './alert-rows.ts'
import type { IncomingAlert } from './incoming-alert.ts'
import type { EndedAlert } from './recovery.ts'
import { storeStanding } from './standing-lives.ts'
import type { AlertRow, IncidentTables } from './tables.ts'

type Tables = IncidentTables & QueueTables

export interface StoredAlerts {
  /** Alerts of incidents that ended with this. */
  readonly ended: readonly EndedAlert[]
  /** How many wait to be folded because of this. */
  readonly begun: number
  /** Incidents whose alerts changed otherwise. */
  readonly touched: readonly string[]
}

/** Stores alerts in their order, inside the caller's transaction. Few enough for one statement. */
export async function storeAlerts(
  trx: Db<Tables>,
  origin: Origin,
  alerts: readonly IncomingAlert[],
  nowMs: number,
): Promise<StoredAlerts> {
  const { beginning = [], identity = [] } = Object.groupBy(alerts, ({ lifeBy }) => lifeBy)
  const begun = beginning.length > 0 ? await storeBegun(trx, origin, beginning, nowMs) : undefined
  const standing = identity.length > 0 ? await storeStanding(trx, origin, identity, nowMs) : undefined
  return {
    ended: [...(begun?.ended ?? []), ...(standing?.ended ?? [])],
    begun: (begun?.begun ?? 0) + (standing?.begun ?? 0),
    touched: standing?.touched ?? [],
  }
}

/** Those that repeat when they began, each life once. */
async function storeBegun(
  trx: Db<Tables>,
  origin: Origin,
  alerts: readonly IncomingAlert[],
  nowMs: number,
): Promise<Omit<StoredAlerts, 'touched'>> {
  const lives = await livesOf(trx, origin, alerts)
  const again: string[] = []
  const fresh: AlertRow[] = []
  const returned: IncomingAlert[] = []
  const ended: EndedAlert[] = []
  for (const alert of alerts) {
    const meaning = meaningOf(lives.get(lifeKey(alert.identity, alert.startsAtMs)) ?? [], alert, nowMs)
    if (meaning.kind === 'first') fresh.push(newRow(origin, alert, nowMs))
    else again.push(meaning.life.id)
    if (meaning.kind === 'return') returned.push(alert)
    if (meaning.kind === 'again') await announceEnd(trx, meaning.life, alert)
    if (meaning.kind === 'end') ended.push(...(await endLife(trx, meaning.life, alert, nowMs)))
  }
  const taken = new Set(fresh.map((row) => lifeKey(row.identity, row.starts_at)))
  fresh.push(...(await returnedRows(trx, origin, returned, taken, nowMs)))
  if (fresh.length > 0) await trx.insertInto('alerts').values(fresh).execute()
  if (again.length > 0) {
    const counted = origin.duplicate ? 0 : 1
    await trx
      .updateTable('alerts')
      .set((eb) => ({ times: eb('times', '+', counted), last_at: nowMs }))
      .where('id', 'in', again)
      .execute()
  }
  return { ended, begun: fresh.length }
}

type Meaning =
  | { readonly kind: 'first' }
  /** Nothing new about this life. */
  | { readonly kind: 'again'; readonly life: Life }
  | { readonly kind: 'end'; readonly life: Life }
  /** This life is over, and the alert fires again. */
  | { readonly kind: 'return'; readonly life: Life }

/** `lives` are those that the sender gives this beginning, oldest first. */
function meaningOf(lives: readonly Life[], alert: IncomingAlert, nowMs: number): Meaning {
  const life = lives.at(-1)
  if (!life) return { kind: 'first' }
  if (alert.status === 'resolved') {
    if (life.status !== 'firing') return { kind: 'again', life }
    // A copy of how an earlier life ended says nothing about the one that came after it.
    const endsAtMs = alert.endsAtMs ?? nowMs
    const earlier = lives.find(({ ends_at }) => ends_at !== null && endsAtMs <= ends_at)
    return earlier ? { kind: 'again', life: earlier } : { kind: 'end', life }
  }
  if (life.status === 'firing') return { kind: 'again', life }
  // Where nobody told us of the end, nobody can lag behind in repeating what was before it.
  const echo = life.end_seen_at !== null && nowMs - life.end_seen_at <= ECHO_MS
  return { kind: echo ? 'again' : 'return', life }
}

/** The lives that have the beginnings of these alerts, by their sender's word, oldest first. */
async function livesOf(
  trx: Db<Tables>,
  { tenant, source }: Origin,
  alerts: readonly IncomingAlert[],
): Promise<ReadonlyMap<string, readonly Life[]>> {
  const starts = alerts.map((alert) => alert.startsAtMs)
  const find = (begun: 'starts_at' | 'sent_starts_at') =>
    trx
      .selectFrom('alerts')
      .select(LIFE_COLUMNS)
      .where('tenant', '=', tenant)
      .where('source', '=', source)
      .where('identity', 'in', [...new Set(alerts.map((alert) => alert.identity))])
      // A range, for a list of times beside a list of identities would be looked up pair by pair.
      .where(begun, '>=', Math.min(...starts))
      .where(begun, '<=', Math.max(...starts))
  const begun = await find('starts_at').execute()
  const returned = await find('sent_starts_at').where('sent_starts_at', 'is not', null).execute()
  const lives = new Map<string, Life[]>()
  const add = (life: Life, startsAtMs: number): void => {
    const key = lifeKey(life.identity, startsAtMs)
    const known = lives.get(key)
    if (known) known.push(life)
    else lives.set(key, [life])
  }
  for (const life of begun) add(life, life.starts_at)
  for (const life of returned.sort((a, b) => a.first_at - b.first_at)) add(life, life.sent_starts_at ?? life.starts_at)
  return lives
}

const lifeKey = (identity: string, startsAtMs: number): string => `${identity} ${startsAtMs}`

/** Each word that it fires announces its end anew, or takes the announcement back. */
async function announceEnd(trx: Db<Tables>, life: Life, { status, endsByMs }: IncomingAlert): Promise<void> {
  if (life.status !== 'firing' || status !== 'firing' || life.ends_by === endsByMs) return
  await trx.updateTable('alerts').set({ ends_by: endsByMs }).where('id', '=', life.id).execute()
}

/** The search for a moment at which no other life of the same labels began ends here. */
const MOST_MOVED_MS = 1000

/** New lives of alerts whose old one is over. They begin now, for their old beginning is that of the old one. */
async function returnedRows(
  trx: Db<Tables>,
  origin: Origin,
  alerts: readonly IncomingAlert[],
  taken: Set<string>,
  nowMs: number,
): Promise<readonly AlertRow[]> {
  if (alerts.length === 0) return []
  const justBegun = await trx
    .selectFrom('alerts')
    .select(['identity', 'starts_at'])
    .where('tenant', '=', origin.tenant)
    .where('source', '=', origin.source)
    .where('identity', 'in', [...new Set(alerts.map((alert) => alert.identity))])
    .where('starts_at', '>=', nowMs)
    .where('starts_at', '<=', nowMs + MOST_MOVED_MS)
    .execute()
  for (const { identity, starts_at } of justBegun) taken.add(lifeKey(identity, starts_at))
  return alerts.map((alert) => {
    let startsAtMs = nowMs
    while (taken.has(lifeKey(alert.identity, startsAtMs))) startsAtMs++
    taken.add(lifeKey(alert.identity, startsAtMs))
    return { ...newRow(origin, alert, nowMs), starts_at: startsAtMs, sent_starts_at: alert.startsAtMs }
  })
}
