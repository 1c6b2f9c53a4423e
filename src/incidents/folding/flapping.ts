// An alert that begins and ends again and again is in one state, "flapping", and not forty incidents: it is told once when it
// begins to flap and once when it is stable again, and in between its incident neither closes nor speaks of each turn.
// As Nagios does it there are two thresholds, so that the state itself does not flap: it is entered by how often the
// alert began within a window, and left only after a longer calm.
// https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/flapping.html
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'
import { duration } from '../investigation/sentence.ts'
import { mention } from '../opening-words.ts'
import { addEvent } from '../store.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'
import type { AlertFlapRow } from './tables.ts'

export interface FlappingRules {
  readonly times: number
  readonly windowMs: number
  readonly stableMs: number
}

export interface Flapping {
  readonly times: number
  readonly sinceMs: number
  /** Whether it was known to flap before this beginning. */
  readonly known: boolean
}

type Trx = Db<IncidentTables & QueueTables>
type Life = Pick<AlertRow, 'tenant' | 'source' | 'identity' | 'first_at'>

/** How often this alert began, this time included, where that is often enough to be flapping. */
export async function findFlapping(trx: Trx, life: Life, rules: FlappingRules): Promise<Flapping | undefined> {
  const known = await ofAlert(trx.selectFrom('alert_flaps').selectAll(), life).executeTakeFirst()
  if (known) return { times: known.times + 1, sinceMs: known.since, known: true }
  const { n, first } = await beginningsOf(trx, life, rules.windowMs).executeTakeFirstOrThrow()
  return n >= rules.times ? { times: n, sinceMs: first, known: false } : undefined
}

/** How often, and since when, one alert began within the window that ends with this life. Asked for every alert of a storm. */
export const beginningsOf = (db: Db<IncidentTables>, life: Life, windowMs: number) =>
  db
    .selectFrom('alerts')
    .select((eb) => [eb.fn.countAll<number>().as('n'), eb.fn.min('first_at').as('first')])
    .where('tenant', '=', life.tenant)
    .where('source', '=', life.source)
    .where('identity', '=', life.identity)
    .where('first_at', '>', life.first_at - windowMs)
    .where('first_at', '<=', life.first_at)

/** `flapping, 5 times in 12 min`. */
export const spellFlapping = ({ times, sinceMs }: Pick<Flapping, 'times' | 'sinceMs'>, nowMs: number): string =>
  `flapping, ${times} times in ${duration(Math.max(1000, nowMs - sinceMs))}`

/** Notes that an alert of this incident flaps; the first time its timeline says so. */
export async function noteFlapping(
  trx: Trx,
  row: AlertRow,
  incidentId: string,
  { times, sinceMs, known }: Flapping,
  rules: FlappingRules,
  nowMs: number,
): Promise<void> {
  const { tenant, source, identity, name, service } = row
  const state = { incident_id: incidentId, times, last_change_at: nowMs }
  await trx
    .insertInto('alert_flaps')
    .values({ tenant, source, identity, name, service, since: sinceMs, ...state })
    .onConflict((conflict) => conflict.columns(['tenant', 'source', 'identity']).doUpdateSet(state))
    .execute()
  if (known) return
  const text = `${mention(name, service)} is ${spellFlapping({ times, sinceMs }, nowMs)}. It counts as one until it is stable for ${duration(rules.stableMs)}.`
  await addEvent(trx, incidentId, { at: nowMs, kind: 'flapping', text, data: { alertId: row.id, times } })
}

/** An end is a change too. */
export async function noteFlapEnded(
  trx: Trx,
  incidentId: string,
  alertIds: readonly string[],
  nowMs: number,
): Promise<void> {
  const flaps = await flapsOf(trx, [incidentId])
  if (flaps.length === 0) return
  for (const id of alertIds) {
    const life = await trx
      .selectFrom('alerts')
      .select(['tenant', 'source', 'identity'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (life) await ofAlert(trx.updateTable('alert_flaps').set({ last_change_at: nowMs }), life).execute()
  }
}

/** The flapping alerts of these incidents. */
export async function flapsOf(
  db: Db<IncidentTables>,
  incidentIds: readonly string[],
): Promise<readonly AlertFlapRow[]> {
  if (incidentIds.length === 0) return []
  return await db
    .selectFrom('alert_flaps')
    .selectAll()
    .where('incident_id', 'in', incidentIds)
    .orderBy('since')
    .execute()
}

/** Ends the state of those that were calm for long enough, and lets their incidents close. Returns the incidents. */
export async function endFlapping(db: Trx, rules: FlappingRules, nowMs: number): Promise<readonly string[]> {
  return await db.transaction().execute(async (trx) => {
    const calm = await trx
      .selectFrom('alert_flaps as f')
      .innerJoin('incidents as i', 'i.id', 'f.incident_id')
      .selectAll('f')
      .select('i.state')
      .where((is) => is.or([is('f.last_change_at', '<=', nowMs - rules.stableMs), is('i.state', '=', 'closed')]))
      .execute()
    for (const flap of calm) {
      await ofAlert(trx.deleteFrom('alert_flaps'), flap).execute()
      if (flap.state === 'closed') continue
      const text = `${mention(flap.name, flap.service)} flaps no more: stable for ${duration(rules.stableMs)}, after it had begun ${flap.times} times.`
      await addEvent(trx, flap.incident_id, { at: nowMs, kind: 'flapping', text })
      await enqueue(trx, {
        kind: 'recovered',
        key: `${flap.incident_id}:stable:${nowMs}`,
        payload: { incidentId: flap.incident_id },
        runAtMs: nowMs,
      })
    }
    return [...new Set(calm.map((flap) => flap.incident_id))]
  })
}

interface Where {
  where(column: 'tenant' | 'source' | 'identity', operator: '=', value: string): this
}

const ofAlert = <Query extends Where>(query: Query, { tenant, source, identity }: Omit<Life, 'first_at'>): Query =>
  query.where('tenant', '=', tenant).where('source', '=', source).where('identity', '=', identity)
