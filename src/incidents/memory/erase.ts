// Takes cases back: one incident's, or every one in which a text stands (a name, an address). The row stays, empty, so that
// no later start fills it again from its incident; what has no case yet gets such a row, for the case would come after the erasure.
import type { Db } from '../../db/connect.ts'
import { breath } from '../breath.ts'
import type { IncidentTables } from '../tables.ts'
import { caseOf, makeCase, NO_DETAIL } from './case.ts'
import type { CaseRow } from './tables.ts'

export type Erasure = { readonly incidentId: string } | { readonly mentions: string }

/** Cases read at once while a text is looked for, and incidents that have none. */
const AT_ONCE = 200
const INCIDENTS_AT_ONCE = 20

/** Returns the numbers of the incidents whose cases are gone now. Upper and lower case are the same. */
export async function eraseCases(
  db: Db<IncidentTables>,
  tenant: string,
  erasure: Erasure,
  nowMs: number,
): Promise<readonly number[]> {
  if ('incidentId' in erasure)
    return await db.transaction().execute((trx) => eraseThese(trx, tenant, [erasure.incidentId], nowMs))
  const needle = erasure.mentions.toLowerCase()
  const kept = await eraseKept(db, tenant, needle, nowMs)
  return [...kept, ...(await forestall(db, tenant, needle, nowMs))]
}

async function eraseKept(
  db: Db<IncidentTables>,
  tenant: string,
  needle: string,
  nowMs: number,
): Promise<readonly number[]> {
  const erased: number[] = []
  for (let after = ''; ;) {
    const rows = await db
      .selectFrom('incident_cases')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('incident_id', '>', after)
      .where('erased_at', 'is', null)
      .orderBy('incident_id')
      .limit(AT_ONCE)
      .execute()
    const hit = rows.filter((row) => mentions(row, needle))
    erased.push(
      ...(await erase(
        db,
        tenant,
        hit.map(({ incident_id }) => incident_id),
        nowMs,
      )),
    )
    const last = rows.at(-1)
    if (!last || rows.length < AT_ONCE) return erased
    after = last.incident_id
  }
}

/** Those whose cases would have the text once they were made: open ones, and closed ones that nobody has remembered. */
async function forestall(
  db: Db<IncidentTables>,
  tenant: string,
  needle: string,
  nowMs: number,
): Promise<readonly number[]> {
  const erased: number[] = []
  const pause = breath()
  for (let after = ''; ;) {
    const incidents = await db
      .selectFrom('incidents')
      .leftJoin('incident_cases', 'incident_cases.incident_id', 'incidents.id')
      .selectAll('incidents')
      .where('incidents.tenant', '=', tenant)
      .where('incidents.id', '>', after)
      .where('incident_cases.incident_id', 'is', null)
      .orderBy('incidents.id')
      .limit(INCIDENTS_AT_ONCE)
      .execute()
    const hit: string[] = []
    for (const incident of incidents) {
      if (mentions(await makeCase(db, incident), needle)) hit.push(incident.id)
      await pause()
    }
    erased.push(...(await erase(db, tenant, hit, nowMs)))
    const last = incidents.at(-1)
    if (!last || incidents.length < INCIDENTS_AT_ONCE) return erased
    after = last.id
  }
}

const mentions = (row: CaseRow, needle: string): boolean =>
  textsOf(caseOf(row)).some((text) => text.toLowerCase().includes(needle))

/** In clear text: in JSON a quotation mark or a line break would hide from the one who looks for it. */
function textsOf({ signature, cause, detail }: ReturnType<typeof caseOf>): readonly string[] {
  const { title, sentence, evidence, onsets, actions } = detail
  const services = onsets.map(({ service }) => service)
  const done = actions.flatMap((action) => [action.title, action.service, action.expected, action.undo])
  return [...signature.features, cause?.service ?? '', title, sentence, ...evidence, ...services, ...done]
}

async function erase(
  db: Db<IncidentTables>,
  tenant: string,
  ids: readonly string[],
  nowMs: number,
): Promise<readonly number[]> {
  if (ids.length === 0) return []
  return await db.transaction().execute((trx) => eraseThese(trx, tenant, ids, nowMs))
}

/** Inside the caller's transaction, the cases of incidents by their ids. Returns the numbers of those that are gone now. */
export async function eraseThese(
  trx: Db<IncidentTables>,
  tenant: string,
  ids: readonly string[],
  nowMs: number,
): Promise<readonly number[]> {
  const empty = {
    signature: JSON.stringify({ features: [], withEvidence: false }),
    cause_service: null,
    cause_kind: null,
    confidence: null,
    detail: JSON.stringify(NO_DETAIL),
    erased_at: nowMs,
  }
  const erased = await trx
    .updateTable('incident_cases')
    .set(empty)
    .where('incident_id', 'in', ids)
    .where('tenant', '=', tenant)
    .where('erased_at', 'is', null)
    .returning(['incident_id', 'number'])
    .execute()
  const gone = erased.map(({ incident_id }) => incident_id)
  if (gone.length > 0) await trx.deleteFrom('incident_case_features').where('incident_id', 'in', gone).execute()
  const without = await trx
    .selectFrom('incidents')
    .leftJoin('incident_cases', 'incident_cases.incident_id', 'incidents.id')
    .select(['incidents.id', 'incidents.number', 'incidents.opened_at', 'incidents.closed_at', 'incidents.outcome'])
    .where('incidents.id', 'in', ids)
    .where('incidents.tenant', '=', tenant)
    .where('incident_cases.incident_id', 'is', null)
    .execute()
  const rows = without.map(({ id, number, opened_at, closed_at, outcome }): CaseRow => {
    return { incident_id: id, tenant, number, opened_at, closed_at: closed_at ?? nowMs, outcome, ...empty }
  })
  if (rows.length > 0) await trx.insertInto('incident_cases').values(rows).execute()
  return [...erased, ...rows].map(({ number }) => number)
}
