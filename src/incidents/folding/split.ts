// Alerts that do not belong to their incident: a person takes them out into an incident of their own. Both are looked at anew.
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'
import { sql } from 'kysely'
import { incidentNumbers, nextNumber } from '../counters.ts'
import { firstSentence, titleOf } from '../opening-words.ts'
import { planToClassify } from '../routing/plan.ts'
import { worseOf } from '../severity.ts'
import { addEvent } from '../store.ts'
import type { AlertRow, IncidentRow, IncidentTables } from '../tables.ts'
import type { FoldingConfig } from './config.ts'
import { lookAtChanged, type Merger } from './merge.ts'
import { rebuildFold } from './open-incidents.ts'

type Trx = Db<IncidentTables & QueueTables>

export interface Split {
  readonly incident: IncidentRow
  readonly moved: readonly AlertRow[]
  /** The first of those that stay. */
  readonly stays: AlertRow
}

/** Inside the caller's transaction. Throws `malformed` for alerts that are not of this incident, or are all it has. */
export async function splitIncident(
  trx: Trx,
  from: IncidentRow,
  alertIds: readonly string[],
  { by, why }: Merger,
  config: Pick<FoldingConfig, 'groupBy' | 'groupIntervalMs'>,
  nowMs: number,
): Promise<Split> {
  if (from.state === 'closed') throw new AppError('conflict', `Incident ${from.number} is closed.`)
  const ids = [...new Set(alertIds)]
  const ofIncident = trx
    .selectFrom('alerts')
    .selectAll()
    .where('incident_id', '=', from.id)
    .orderBy('first_at')
    .orderBy('id')
  const moved = await ofIncident.where('id', 'in', ids).execute()
  const missing = ids.find((id) => !moved.some((row) => row.id === id))
  if (missing !== undefined) throw new AppError('malformed', `Alert ${missing} is not part of incident ${from.number}.`)
  const stays = await ofIncident.where('id', 'not in', ids).limit(1).executeTakeFirst()
  const [first] = moved
  if (!stays || !first)
    throw new AppError('malformed', `Leave one alert at least in incident ${from.number}, and name one to take out.`)
  const incident: IncidentRow = {
    id: newId('inc', nowMs),
    tenant: from.tenant,
    number: await nextNumber(trx, incidentNumbers(from.tenant)),
    state: 'open',
    outcome: null,
    severity: moved.map(({ severity }) => severity).reduce(worseOf),
    title: titleOf(first.name, first.service),
    sentence: firstSentence(first.name, first.service, first.starts_at, nowMs),
    service: first.service,
    opened_at: nowMs,
    updated_at: nowMs,
    closed_at: null,
    report: null,
  }
  await trx.insertInto('incidents').values(incident).execute()
  await trx
    .updateTable('alerts')
    .set({ incident_id: incident.id, reason: sql`reason || ${`; taken out of incident ${from.number} by ${by}`}` })
    .where('id', 'in', ids)
    .execute()
  for (const { tenant, source, identity } of moved)
    await trx
      .updateTable('alert_flaps')
      .set({ incident_id: incident.id })
      .where('tenant', '=', tenant)
      .where('source', '=', source)
      .where('identity', '=', identity)
      .execute()
  const alerts = `${moved.length} ${moved.length === 1 ? 'alert' : 'alerts'}`
  await addEvent(trx, incident.id, {
    at: nowMs,
    kind: 'opened',
    text: `Taken out of incident ${from.number} by ${by}, with ${alerts}: ${why}.`,
    data: { from: from.id },
  })
  await addEvent(trx, from.id, {
    at: nowMs,
    kind: 'split',
    text: `${alerts} became incident ${incident.number}, by ${by}: ${why}.`,
    data: { into: incident.id },
  })
  for (const id of [from.id, incident.id]) await rebuildFold(trx, id, from.tenant, config.groupBy)
  await enqueue(trx, { kind: 'investigate', key: incident.id, payload: { incidentId: incident.id }, runAtMs: nowMs })
  await planToClassify(trx, incident.id, 'opened', nowMs)
  await lookAtChanged(trx, from.id, 'without what was taken out', config, nowMs)
  return { incident, moved, stays }
}
