// Takes cases back: one incident's, or every one in which a text stands (a name, an address). The row stays, empty, so that
// no later start fills it again from its incident.
import type { Db } from '../../db/connect.ts'
import type { IncidentTables } from '../tables.ts'
import { caseOf, NO_DETAIL } from './case.ts'

export type Erasure = { readonly incidentId: string } | { readonly mentions: string }

/** Cases read at once while a text is looked for. */
const AT_ONCE = 200

/** Returns the numbers of the incidents whose cases are gone now. Upper and lower case are the same. */
export async function eraseCases(
  db: Db<IncidentTables>,
  tenant: string,
  erasure: Erasure,
  nowMs: number,
): Promise<readonly number[]> {
  if ('incidentId' in erasure) return await erase(db, tenant, [erasure.incidentId], nowMs)
  const needle = erasure.mentions.toLowerCase()
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
    const hit = rows.filter((row) => textsOf(caseOf(row)).some((text) => text.toLowerCase().includes(needle)))
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
  return await db.transaction().execute(async (trx) => {
    const erased = await trx
      .updateTable('incident_cases')
      .set({
        signature: JSON.stringify({ features: [], withEvidence: false }),
        cause_service: null,
        cause_kind: null,
        confidence: null,
        detail: JSON.stringify(NO_DETAIL),
        erased_at: nowMs,
      })
      .where('incident_id', 'in', ids)
      .where('tenant', '=', tenant)
      .where('erased_at', 'is', null)
      .returning(['incident_id', 'number'])
      .execute()
    const gone = erased.map(({ incident_id }) => incident_id)
    if (gone.length > 0) await trx.deleteFrom('incident_case_features').where('incident_id', 'in', gone).execute()
    return erased.map(({ number }) => number)
  })
}
