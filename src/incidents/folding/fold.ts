// One alert folded, inside the caller's transaction: the decision, and everything that follows from it, or nothing.
import { believableStart } from '../alert-times.ts'
import { placesOf } from '../alert-service.ts'
import { newId } from '../../core/ids.ts'
import type { Edge, Labels } from '../../core/telemetry.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'
import { incidentNumbers, nextNumber } from '../counters.ts'
import {
  alertKeys,
  decide,
  type Decision,
  type FoldableAlert,
  type FoldingRules,
  keysToJoin,
  type OpenIncident,
} from './decide.ts'
import { isMilestone, mentionsSingly } from '../mention.ts'
import { firstSentence, mention, titleOf } from '../opening-words.ts'
import { worseOf } from '../severity.ts'
import { addEvent } from '../store.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'

export type FoldTrx = Db<IncidentTables & QueueTables>

export interface FoldingConfig extends FoldingRules {
  /** How long an incident collects alerts before it is looked at. */
  readonly groupWaitMs: number
  /** An alert that fires and was not delivered again for this long counts as ended. */
  readonly silentAfterMs: number
}

export interface Folded {
  readonly kind: Decision['kind']
  readonly source: string
  readonly incidentId: string | null
}

/** Decides on one waiting alert and writes down what follows. */
export async function foldAlert(
  trx: FoldTrx,
  row: AlertRow,
  topology: readonly Edge[],
  config: FoldingConfig,
  nowMs: number,
): Promise<Folded> {
  const alert = foldable(row)
  const open = await loadRelated(trx, row.tenant, keysToJoin(alert, topology, config))
  const decision = decide(alert, open, topology, config)
  const { incidentId, note } = await follow(trx, row, alert, decision, open, config, nowMs)
  await trx
    .updateTable('alerts')
    .set({
      decision: decision.kind,
      reason: [`${decision.rule}: ${decision.reason}`, note, returning(row)].filter(Boolean).join('; '),
      incident_id: incidentId,
    })
    .where('id', '=', row.id)
    .execute()
  return { kind: decision.kind, source: row.source, incidentId }
}

/** Why a life begins later than its sender says. */
const returning = ({ sent_starts_at }: AlertRow): string | undefined =>
  sent_starts_at === null ? undefined : 'it fires again after it had ended, with the beginning that it had before'

function foldable(row: AlertRow): FoldableAlert {
  return {
    name: row.name,
    service: row.service,
    severity: row.severity,
    status: row.status,
    fingerprint: row.fingerprint,
    groupKey: row.group_key,
    places: placesOf(JSON.parse(row.labels) as Labels),
    atMs: believableStart(row.starts_at, row.first_at),
  }
}

type Related = OpenIncident & { readonly severity: string; readonly alerts: number }

/** Open incidents that have one of the keys, each with those of the keys that it has. */
async function loadRelated(trx: FoldTrx, tenant: string, keys: readonly string[]): Promise<readonly Related[]> {
  const rows = await trx
    .selectFrom('incident_fold_keys as k')
    .innerJoin('incident_folds as f', 'f.incident_id', 'k.incident_id')
    .innerJoin('incidents as i', 'i.id', 'k.incident_id')
    .select(['k.incident_id', 'k.key', 'f.first_at', 'f.last_at', 'f.alerts', 'i.number', 'i.severity'])
    .where('k.tenant', '=', tenant)
    .where('k.key', 'in', keys)
    .where('i.state', '!=', 'closed')
    .execute()
  return [...Map.groupBy(rows, (row) => row.incident_id)].flatMap(([id, [first, ...rest]]) =>
    first
      ? [
          {
            id,
            number: first.number,
            severity: first.severity,
            keys: new Set([first, ...rest].map((row) => row.key)),
            firstAtMs: first.first_at,
            lastAtMs: first.last_at,
            alerts: first.alerts,
          },
        ]
      : [],
  )
}

async function follow(
  trx: FoldTrx,
  row: AlertRow,
  alert: FoldableAlert,
  decision: Decision,
  open: readonly Related[],
  config: FoldingConfig,
  nowMs: number,
): Promise<{ incidentId: string | null; note?: string | undefined }> {
  switch (decision.kind) {
    case 'ignored':
      return { incidentId: null }
    case 'opened':
      return await openIncident(trx, row, alert, config, nowMs)
    case 'joined': {
      const incident = open.find(({ id }) => id === decision.incidentId)
      if (!incident) throw new Error(`decided to join ${decision.incidentId}, which is not among the open incidents`)
      await join(trx, row, alert, incident, `${decision.rule}: ${decision.reason}`, nowMs)
      return { incidentId: incident.id }
    }
  }
}

async function openIncident(
  trx: FoldTrx,
  row: AlertRow,
  alert: FoldableAlert,
  config: FoldingConfig,
  nowMs: number,
): Promise<{ incidentId: string; note: string | undefined }> {
  const id = newId('inc', nowMs)
  await trx
    .insertInto('incidents')
    .values({
      id,
      tenant: row.tenant,
      number: await nextNumber(trx, incidentNumbers(row.tenant)),
      state: 'open',
      outcome: null,
      severity: row.severity,
      title: titleOf(row.name, row.service),
      sentence: firstSentence(row.name, row.service, alert.atMs, nowMs),
      service: row.service,
      opened_at: nowMs,
      updated_at: nowMs,
      closed_at: null,
      report: null,
    })
    .execute()
  await trx
    .insertInto('incident_folds')
    .values({ incident_id: id, tenant: row.tenant, first_at: alert.atMs, last_at: alert.atMs, alerts: 1 })
    .execute()
  await rememberKeys(trx, id, row.tenant, alert)
  const note = await earlierIncident(trx, row)
  await addEvent(trx, id, {
    at: nowMs,
    kind: 'opened',
    text: `Opened by ${mention(row.name, row.service)}${note === undefined ? '' : `: ${note}`}.`,
    data: { alertId: row.id },
  })
  await enqueue(trx, { kind: 'investigate', key: id, payload: { incidentId: id }, runAtMs: nowMs + config.groupWaitMs })
  return { incidentId: id, note }
}

/** What a person asks first when trouble returns: which incident it was the last time. */
async function earlierIncident(trx: FoldTrx, row: AlertRow): Promise<string | undefined> {
  const earlier = await trx
    .selectFrom('alerts as a')
    .innerJoin('incidents as i', 'i.id', 'a.incident_id')
    .select('i.number')
    .where('a.tenant', '=', row.tenant)
    .where('a.fingerprint', '=', row.fingerprint)
    .orderBy('a.first_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return earlier && `the same alert was part of incident ${earlier.number}, which is closed`
}

async function join(
  trx: FoldTrx,
  row: AlertRow,
  alert: FoldableAlert,
  incident: Related,
  why: string,
  nowMs: number,
): Promise<void> {
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
  await rememberKeys(trx, incident.id, row.tenant, alert)
  const worse = worseOf(incident.severity, row.severity) !== incident.severity
  if (worse) await trx.updateTable('incidents').set({ severity: row.severity }).where('id', '=', incident.id).execute()
  if (mentionsSingly(alerts) || worse) {
    const raised = worse ? ` The severity is now ${row.severity}.` : ''
    await addEvent(trx, incident.id, {
      at: nowMs,
      kind: 'alert',
      text: `${mention(row.name, row.service)} joined (${why}).${raised}`,
      data: { alertId: row.id },
    })
  } else if (isMilestone(alerts)) {
    await addEvent(trx, incident.id, { at: nowMs, kind: 'alert', text: `${alerts} alerts so far.`, data: { alerts } })
  }
}

async function rememberKeys(trx: FoldTrx, incidentId: string, tenant: string, alert: FoldableAlert): Promise<void> {
  await trx
    .insertInto('incident_fold_keys')
    .values(alertKeys(alert).map((key) => ({ incident_id: incidentId, tenant, key })))
    .onConflict((conflict) => conflict.columns(['tenant', 'key', 'incident_id']).doNothing())
    .execute()
}
