// What folding remembers of open incidents: by which keys an alert finds them, which services they are about, and what
// their alerts without a service say. Written with every alert that joins, gone when the incident closes.
import { sql } from 'kysely'
import { z } from 'zod'
import type { Labels } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import { breath } from '../breath.ts'
import { type IncidentTables, stillOpen } from '../tables.ts'
import type { AlertText } from './alike.ts'
import { alertKeys, type FoldableAlert, type OpenIncident } from './decide.ts'
import { foldable } from './foldable.ts'

export type Known = OpenIncident & { readonly severity: string; readonly state: string; readonly alerts: number }

type FoldDb = Db<IncidentTables>

/** Of one incident this many services count: more are a storm, and it is known by its first ones. */
const MAX_SERVICES = 500
/** Texts looked at for one alert, the latest first; and kept of one incident. */
const MAX_TEXTS = 300
const MAX_TEXTS_KEPT = 20

const storedText = z.object({ scope: z.string(), words: z.array(z.string()) })

/** Open incidents that have one of the keys, each with those of the keys that it has, and those that speak alike. */
export async function loadOpen(
  trx: FoldDb,
  tenant: string,
  alert: FoldableAlert,
  keys: readonly string[],
  windowMs: number,
): Promise<readonly Known[]> {
  const found = await trx
    .selectFrom('incident_fold_keys as k')
    .innerJoin('incidents as i', 'i.id', 'k.incident_id')
    .select(['k.incident_id', 'k.key'])
    .where('k.tenant', '=', tenant)
    .where('k.key', 'in', keys)
    .where('i.state', '!=', 'closed')
    .execute()
  const texts = alert.service === null ? await textsNear(trx, tenant, alert.atMs, windowMs) : []
  const ids = [...new Set([...found, ...texts].map((row) => row.incident_id))]
  if (ids.length === 0) return []
  const incidents = await trx
    .selectFrom('incidents as i')
    .innerJoin('incident_folds as f', 'f.incident_id', 'i.id')
    .select(['i.id', 'i.number', 'i.severity', 'i.state', 'f.first_at', 'f.last_at', 'f.alerts'])
    .where('i.id', 'in', ids)
    .where(stillOpen)
    .execute()
  const services = alert.service === null ? [] : await servicesOf(trx, ids)
  const keysOf = Map.groupBy(found, (row) => row.incident_id)
  const servicesBy = Map.groupBy(services, (row) => row.incident_id)
  const textsBy = Map.groupBy(texts, (row) => row.incident_id)
  return incidents.map((row) => ({
    id: row.id,
    number: row.number,
    severity: row.severity,
    state: row.state,
    alerts: row.alerts,
    firstAtMs: row.first_at,
    lastAtMs: row.last_at,
    keys: new Set(keysOf.get(row.id)?.map(({ key }) => key)),
    services: (servicesBy.get(row.id) ?? []).map(({ service, first_at }) => ({ service, firstAtMs: first_at })),
    texts: (textsBy.get(row.id) ?? []).map(({ words }): AlertText => storedText.parse(JSON.parse(words))),
  }))
}

const servicesOf = (trx: FoldDb, ids: readonly string[]) =>
  trx
    .selectFrom(
      trx
        .selectFrom('incident_fold_services')
        .select((eb) => [
          'incident_id',
          'service',
          'first_at',
          eb.fn
            .agg<number>('row_number')
            .over((over) => over.partitionBy('incident_id').orderBy('first_at').orderBy('service'))
            .as('place'),
        ])
        .where('incident_id', 'in', ids)
        .as('placed'),
    )
    .select(['incident_id', 'service', 'first_at'])
    .where('place', '<=', MAX_SERVICES)
    .orderBy('first_at')
    .orderBy('service')
    .execute()

const textsNear = (trx: FoldDb, tenant: string, atMs: number, windowMs: number) =>
  trx
    .selectFrom('incident_fold_texts')
    .select(['incident_id', 'words'])
    .where('tenant', '=', tenant)
    .where('at', '>=', atMs - windowMs)
    .where('at', '<=', atMs + windowMs)
    .orderBy('at', 'desc')
    .limit(MAX_TEXTS)
    .execute()

/** Begins to remember an incident that opened (or opened again) with this alert. */
export async function beginFold(trx: FoldDb, incidentId: string, tenant: string, alert: FoldableAlert): Promise<void> {
  await trx
    .insertInto('incident_folds')
    .values({ incident_id: incidentId, tenant, first_at: alert.atMs, last_at: alert.atMs, alerts: 1 })
    .execute()
  await rememberAlert(trx, incidentId, tenant, alert)
}

/** One more alert of an incident that is remembered. Returns how many it has now. */
export async function addToFold(trx: FoldDb, incident: Known, tenant: string, alert: FoldableAlert): Promise<number> {
  const alerts = incident.alerts + 1
  await trx
    .updateTable('incident_folds')
    .set({
      alerts,
      first_at: Math.min(incident.firstAtMs, alert.atMs),
      last_at: Math.max(incident.lastAtMs, alert.atMs),
    })
    .where('incident_id', '=', incident.id)
    .execute()
  await rememberAlert(trx, incident.id, tenant, alert)
  return alerts
}

async function rememberAlert(trx: FoldDb, incidentId: string, tenant: string, alert: FoldableAlert): Promise<void> {
  await trx
    .insertInto('incident_fold_keys')
    .values(alertKeys(alert).map((key) => ({ incident_id: incidentId, tenant, key })))
    .onConflict((conflict) => conflict.columns(['tenant', 'key', 'incident_id']).doNothing())
    .execute()
  if (alert.service !== null)
    await trx
      .insertInto('incident_fold_services')
      .values({ incident_id: incidentId, service: alert.service, first_at: alert.atMs, alerts: 1 })
      .onConflict((conflict) =>
        conflict.columns(['incident_id', 'service']).doUpdateSet((eb) => ({
          alerts: eb('incident_fold_services.alerts', '+', 1),
          first_at: eb
            .case()
            .when('incident_fold_services.first_at', '<', alert.atMs)
            .then(eb.ref('incident_fold_services.first_at'))
            .else(alert.atMs)
            .end(),
        })),
      )
      .execute()
  else await rememberText(trx, incidentId, tenant, alert)
}

async function rememberText(trx: FoldDb, incidentId: string, tenant: string, alert: FoldableAlert): Promise<void> {
  const { n } = await trx
    .selectFrom('incident_fold_texts')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where('incident_id', '=', incidentId)
    .executeTakeFirstOrThrow()
  if (n >= MAX_TEXTS_KEPT || alert.text.words.length === 0) return
  await trx
    .insertInto('incident_fold_texts')
    .values({
      incident_id: incidentId,
      tenant,
      fingerprint: alert.fingerprint,
      words: JSON.stringify(alert.text),
      at: alert.atMs,
    })
    .onConflict((conflict) => conflict.columns(['incident_id', 'fingerprint']).doUpdateSet({ at: alert.atMs }))
    .execute()
}

/** A closed incident takes no more alerts, so nothing may find it any more. */
export async function forgetFold(trx: FoldDb, incidentId: string): Promise<void> {
  await trx.deleteFrom('incident_fold_keys').where('incident_id', '=', incidentId).execute()
  await trx.deleteFrom('incident_fold_services').where('incident_id', '=', incidentId).execute()
  await trx.deleteFrom('incident_fold_texts').where('incident_id', '=', incidentId).execute()
  await trx.deleteFrom('incident_folds').where('incident_id', '=', incidentId).execute()
}

/** Alerts of an incident that are read at once to remember it anew, and rows that are written at once. */
const PAGE = 1000
const ROWS_AT_ONCE = 200

/** Writes anew what is remembered, from all the alerts that the incident has now. Needs at least one. */
export async function rebuildFold(
  trx: FoldDb,
  incidentId: string,
  tenant: string,
  groupBy: readonly string[],
): Promise<void> {
  await forgetFold(trx, incidentId)
  const fold = { alerts: 0, first_at: Infinity, last_at: -Infinity }
  const keys = new Set<string>()
  const services = new Map<string, { readonly first_at: number; readonly alerts: number }>()
  for await (const alert of alertsOf(trx, incidentId, groupBy)) {
    fold.alerts++
    fold.first_at = Math.min(fold.first_at, alert.atMs)
    fold.last_at = Math.max(fold.last_at, alert.atMs)
    for (const key of alertKeys(alert)) keys.add(key)
    if (alert.service === null) await rememberText(trx, incidentId, tenant, alert)
    else {
      const { first_at, alerts } = services.get(alert.service) ?? { first_at: alert.atMs, alerts: 0 }
      services.set(alert.service, { first_at: Math.min(first_at, alert.atMs), alerts: alerts + 1 })
    }
  }
  if (fold.alerts === 0) return
  await trx
    .insertInto('incident_folds')
    .values({ incident_id: incidentId, tenant, ...fold })
    .execute()
  for (const some of chunksOf([...keys]))
    await trx
      .insertInto('incident_fold_keys')
      .values(some.map((key) => ({ incident_id: incidentId, tenant, key })))
      .execute()
  for (const some of chunksOf([...services]))
    await trx
      .insertInto('incident_fold_services')
      .values(some.map(([service, known]) => ({ incident_id: incidentId, service, ...known })))
      .execute()
}

/** In the order in which they came. */
async function* alertsOf(trx: FoldDb, incidentId: string, groupBy: readonly string[]): AsyncIterable<FoldableAlert> {
  const pause = breath()
  const inOrder = trx
    .selectFrom('alerts')
    .selectAll()
    .where('incident_id', '=', incidentId)
    .orderBy('first_at')
    .orderBy('id')
    .limit(PAGE)
  for (let rows = await inOrder.execute(), last = rows.at(-1); ; last = rows.at(-1)) {
    for (const row of rows) {
      yield foldable(row, JSON.parse(row.labels) as Labels, groupBy)
      await pause()
    }
    if (!last || rows.length < PAGE) return
    rows = await inOrder.where(sql<boolean>`(first_at, id) > (${last.first_at}, ${last.id})`).execute()
  }
}

function* chunksOf<T>(rows: readonly T[]): Iterable<readonly T[]> {
  for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) yield rows.slice(i, i + ROWS_AT_ONCE)
}
