// The draft of a runbook for an incident: from the second case of the same trouble on, this incident counted if it is closed.
import type { Db } from '../../db/connect.ts'
import { AppError } from '../../core/errors.ts'
import { report } from '../report.ts'
import type { IncidentRow, IncidentTables } from '../tables.ts'
import { alertTexts } from './case.ts'
import { draftRunbook, type RunbookCase } from './draft-runbook.ts'
import { loadCases, loadFeedback } from './find.ts'
import { isEarlierTime } from './say-past.ts'
import { recall, toPast } from './recall.ts'
import { signatureOf } from './signature.ts'
import { standingOf } from './standing.ts'

/** With fewer there is no habit to write down. */
const LEAST_CASES = 2

export interface Offered {
  readonly markdown: string
  /** Numbers of the incidents it is made of, newest first. */
  readonly cases: readonly number[]
}

/** Throws `not_found` while there are not cases enough. */
export async function offerRunbook(db: Db<IncidentTables>, incident: IncidentRow): Promise<Offered> {
  const { id, tenant } = incident
  const found = incident.report === null ? null : report.parse(JSON.parse(incident.report))
  const causes = found?.abstained === false ? found.causes : []
  const signature = signatureOf({ alerts: await alertTexts(db, id), causes })
  const alike = await recall(db, { incidentId: id, tenant, signature })
  const past = toPast(alike, causes[0] ?? null, [], incident.opened_at)
  const times = new Set(past?.cases.filter((one) => isEarlierTime(one, past.cause)).map(({ incidentId }) => incidentId))
  const said = await loadFeedback(db, [id])
  const own = (await loadCases(db, [id])).map((one) => ({
    case: one,
    standing: standingOf({ cause: one.cause, mended: one.detail.mended }, said.get(id) ?? []),
  }))
  const cases: RunbookCase[] = [...own, ...alike.filter((one) => times.has(one.case.incidentId))].sort(
    (a, b) => b.case.closedAt - a.case.closedAt,
  )
  if (cases.length < LEAST_CASES)
    throw new AppError(
      'not_found',
      `A runbook is drafted from the second closed incident of the same trouble on; of incident ${incident.number} there ${cases.length === 1 ? 'is one' : 'is none'} so far.`,
    )
  return { markdown: draftRunbook(cases), cases: cases.map(({ case: one }) => one.number) }
}
