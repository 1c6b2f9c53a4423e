// When the trouble of a closed incident returns soon, it was not over: the incident opens again, is looked at anew, and is
// no case to learn from until it closes once more. What returns later is a new incident that names the old one.
import type { Db } from '../../db/connect.ts'
import { enqueue, type QueueTables } from '../../db/queue.ts'
import { countLooks } from '../investigation/incident.ts'
import { mention } from '../opening-words.ts'
import { planToClassify } from '../routing/plan.ts'
import { moveIncident } from '../store.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'
import type { FoldingConfig } from './config.ts'

type Trx = Db<IncidentTables & QueueTables>

/** The incident that the same alert was part of the last time, where it is closed. */
export interface EarlierIncident {
  readonly id: string
  readonly number: number
  readonly closedAtMs: number
}

export async function findEarlier(
  trx: Trx,
  { tenant, fingerprint }: Pick<AlertRow, 'tenant' | 'fingerprint'>,
): Promise<EarlierIncident | undefined> {
  const row = await trx
    .selectFrom('alerts as a')
    .innerJoin('incidents as i', 'i.id', 'a.incident_id')
    .select(['i.id', 'i.number', 'i.closed_at'])
    .where('a.tenant', '=', tenant)
    .where('a.fingerprint', '=', fingerprint)
    .orderBy('a.first_at', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row && row.closed_at !== null ? { id: row.id, number: row.number, closedAtMs: row.closed_at } : undefined
}

/** Opens it again and asks for a look at it. What folding remembers of it has to be written anew by the caller. */
export async function reopen(
  trx: Trx,
  incidentId: string,
  row: AlertRow,
  why: string,
  config: Pick<FoldingConfig, 'groupWaitMs'>,
  nowMs: number,
): Promise<void> {
  const text = `Opened again by ${mention(row.name, row.service)}: ${why}.`
  const { moved } = await moveIncident(
    trx,
    incidentId,
    'open',
    { outcome: null },
    { at: nowMs, kind: 'reopened', text, data: { alertId: row.id } },
  )
  if (!moved) return
  const look = (await countLooks(trx, incidentId)) + 1
  await enqueue(trx, {
    kind: 'investigate',
    key: `${incidentId}:${look}`,
    payload: { incidentId, look },
    runAtMs: nowMs + config.groupWaitMs,
  })
  await planToClassify(trx, incidentId, `reopened ${look}`, nowMs + config.groupWaitMs)
  await forgetCase(trx, incidentId)
}

/** It is written again when the incident closes. What was erased stays so. */
async function forgetCase(trx: Trx, incidentId: string): Promise<void> {
  const kept = trx
    .selectFrom('incident_cases')
    .select('incident_id')
    .where('incident_id', '=', incidentId)
    .where('erased_at', 'is', null)
  await trx.deleteFrom('incident_case_features').where('incident_id', 'in', kept).execute()
  await trx.deleteFrom('incident_cases').where('incident_id', '=', incidentId).where('erased_at', 'is', null).execute()
  await trx
    .deleteFrom('jobs')
    .where('kind', '=', 'remember')
    .where('key', '=', incidentId)
    .where('state', '=', 'done')
    .execute()
}
