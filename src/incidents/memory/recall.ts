// Memory as an investigation uses it: what looked like this before, as claims whose references were looked up a second
// time before anybody is told, and as they are again whenever a report is read.
import type { Db } from '../../db/connect.ts'
import type { IncidentTables } from '../tables.ts'
import { type FoundCase, findCases, loadCases, loadFeedback } from './find.ts'
import type { Nudge } from './nudge.ts'
import type { Past, PastCase } from './past.ts'
import { sayPast } from './say-past.ts'
import type { Signature } from './signature.ts'
import { type CauseName, standingOf } from './standing.ts'

/** Features of each sort that a case is shown with. */
const MOST_SHOWN = 6
/** Cases that a report tells. */
const MOST_TOLD = 5

export interface Recalling {
  readonly incidentId: string
  readonly tenant: string
  readonly signature: Signature
}

export const recall = (
  db: Db<IncidentTables>,
  { incidentId, tenant, signature }: Recalling,
): Promise<readonly FoundCase[]> => findCases(db, tenant, signature, incidentId)

/** undefined when nothing looked the same. */
export function toPast(
  found: readonly FoundCase[],
  cause: CauseName | null,
  nudges: readonly Nudge[],
  openedAt: number,
): Past | undefined {
  if (found.length === 0) return undefined
  const named = cause && { service: cause.service, kind: cause.kind }
  const cases = found.slice(0, MOST_TOLD).map(toPastCase)
  return {
    sentence: sayPast(cases, named, openedAt),
    cause: named,
    cases,
    nudges: nudges.map((one) => ({ ...one, because: [...one.because] })),
  }
}

function toPastCase({ case: one, standing, likeness, shared, differing }: FoundCase): PastCase {
  const acted = one.detail.actions.findLast(({ state }) => state === 'done' || state === 'uncertain')
  return {
    incidentId: one.incidentId,
    number: one.number,
    closedAt: one.closedAt,
    lastedMs: one.closedAt - one.openedAt,
    likeness,
    shared: shared.filter((feature) => !feature.startsWith('word:')).slice(0, MOST_SHOWN),
    differing: differing.filter((feature) => !feature.startsWith('word:')).slice(0, MOST_SHOWN),
    diagnosed: one.cause,
    standing,
    outcome: one.outcome,
    fix: acted === undefined ? null : { title: acted.title, helped: one.detail.mended && acted.state === 'done' },
  }
}

export interface Resolved {
  readonly past: Past | undefined
  /** References that led nowhere (any more). */
  readonly removed: number
}

/**
 * Looks every case up again: one that is not there (of this tenant, kept, not erased) is taken out, and what people said
 * of the others since then counts. The nudges stay what they were: they tell what was done to this ranking.
 */
export async function resolvePast(
  db: Db<IncidentTables>,
  tenant: string,
  past: Past | undefined,
  openedAt: number,
): Promise<Resolved> {
  if (past === undefined) return { past: undefined, removed: 0 }
  const ids = past.cases.map(({ incidentId }) => incidentId)
  if (ids.length === 0) return { past: past.nudges.length === 0 ? undefined : past, removed: 0 }
  const rows = await db
    .selectFrom('incidents')
    .select(['id', 'number'])
    .where('id', 'in', ids)
    .where('tenant', '=', tenant)
    .where('state', '=', 'closed')
    .execute()
  const known = new Map(rows.map(({ id, number }) => [id, number]))
  const kept = new Map((await loadCases(db, ids)).map((one) => [one.incidentId, one]))
  const said = await loadFeedback(db, ids)
  const cases = past.cases.flatMap((told): PastCase[] => {
    const one = kept.get(told.incidentId)
    if (!one || known.get(told.incidentId) !== told.number) return []
    const judged = { cause: one.cause, mended: one.detail.mended }
    return [{ ...told, standing: standingOf(judged, said.get(told.incidentId) ?? []) }]
  })
  const removed = past.cases.length - cases.length
  if (cases.length === 0 && past.nudges.length === 0) return { past: undefined, removed }
  return { past: { ...past, cases, sentence: sayPast(cases, past.cause, openedAt) }, removed }
}
