// Finds cases like an incident. The rarest of its features lead to the cases that share them, so that what is read stays
// the same however many cases there are; the best of those are compared in full. Bounded in everything it reads.
import type { Db } from '../../db/connect.ts'
import { byChunks } from '../by-chunks.ts'
import type { FeedbackRow, IncidentTables } from '../tables.ts'
import { type Case, caseOf } from './case.ts'
import { ALIKE, compare, type Frequencies, type Likeness, rarity } from './likeness.ts'
import type { Signature } from './signature.ts'
import { type Standing, standingOf, weightOf } from './standing.ts'

export interface FoundCase extends Likeness {
  readonly case: Case
  readonly standing: Standing
}

/** Pairs of feature and case that are looked at to find candidates. */
const MOST_PAIRS = 5000
const MOST_COMPARED = 40
const MOST_FOUND = 10

/** Those that are told as alike, best first: likeness times what the case is worth as a teacher. */
export async function findCases(
  db: Db<IncidentTables>,
  tenant: string,
  signature: Signature,
  /** Itself, where it has a case already. */
  except: string,
): Promise<readonly FoundCase[]> {
  if (signature.features.length === 0) return []
  const { cases } = await db
    .selectFrom('incident_cases')
    .select((eb) => eb.fn.countAll<number>().as('cases'))
    .where('tenant', '=', tenant)
    .where('erased_at', 'is', null)
    .executeTakeFirstOrThrow()
  if (cases === 0) return []
  const own = await countFeatures(db, tenant, signature.features)
  const ids = await candidates(db, tenant, signature, { cases, of: (feature) => own.get(feature) ?? 0 }, except)
  const found = await loadCases(db, ids)
  const others = new Set(found.flatMap((one) => one.signature.features).filter((feature) => !own.has(feature)))
  const counts = new Map([...own, ...(await countFeatures(db, tenant, [...others]))])
  const frequencies: Frequencies = { cases, of: (feature) => counts.get(feature) ?? 0 }
  const said = await loadFeedback(db, ids)
  return found
    .map((one): FoundCase => {
      const judged = { cause: one.cause, mended: one.detail.mended }
      const standing = standingOf(judged, said.get(one.incidentId) ?? [])
      return { case: one, standing, ...compare(signature, one.signature, frequencies) }
    })
    .filter(({ likeness }) => likeness >= ALIKE)
    .sort((a, b) => worth(b) - worth(a) || b.case.closedAt - a.case.closedAt)
    .slice(0, MOST_FOUND)
}

const worth = ({ likeness, standing }: FoundCase): number => likeness * weightOf(standing)

/** Cases by their id; one that is not there, or erased, is left out. In no order. */
export async function loadCases(db: Db<IncidentTables>, ids: readonly string[]): Promise<readonly Case[]> {
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('incident_cases')
    .selectAll()
    .where('incident_id', 'in', ids)
    .where('erased_at', 'is', null)
    .execute()
  return rows.map(caseOf)
}

export async function loadFeedback(
  db: Db<IncidentTables>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly FeedbackRow[]>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('feedback').selectAll().where('incident_id', 'in', ids).execute()
  return Map.groupBy(rows, ({ incident_id }) => incident_id)
}

async function countFeatures(
  db: Db<IncidentTables>,
  tenant: string,
  features: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await byChunks(features, (some) =>
    db
      .selectFrom('incident_case_features')
      .select((eb) => ['feature', eb.fn.countAll<number>().as('n')])
      .where('tenant', '=', tenant)
      .where('feature', 'in', some)
      .groupBy('feature')
      .execute(),
  )
  return new Map(rows.map(({ feature, n }) => [feature, n]))
}

/** The cases that share the most, counted from the rarest feature on. */
async function candidates(
  db: Db<IncidentTables>,
  tenant: string,
  { features }: Signature,
  frequencies: Frequencies,
  except: string,
): Promise<readonly string[]> {
  const known = features
    .filter((feature) => frequencies.of(feature) > 0)
    .sort((a, b) => frequencies.of(a) - frequencies.of(b))
  const asked: string[] = []
  let pairs = 0
  for (const feature of known) {
    pairs += frequencies.of(feature)
    if (asked.length > 0 && pairs > MOST_PAIRS) break
    asked.push(feature)
  }
  const rows = await byChunks(asked, (some) =>
    db
      .selectFrom('incident_case_features')
      .select(['feature', 'incident_id'])
      .where('tenant', '=', tenant)
      .where('feature', 'in', some)
      .limit(MOST_PAIRS)
      .execute(),
  )
  const scores = new Map<string, number>()
  for (const { feature, incident_id } of rows)
    scores.set(incident_id, (scores.get(incident_id) ?? 0) + rarity(feature, frequencies))
  scores.delete(except)
  return [...scores]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? 1 : -1))
    .slice(0, MOST_COMPARED)
    .map(([id]) => id)
}
