// What people teach by merging and splitting: two services (or two alerts, where there is no service or it is the same one)
// that belong together or do not. A lesson bears on later decisions alone, is told in their reasons, is listed, and can be
// taken back. The latest word on a pair counts.
import { newId } from '../../core/ids.ts'
import type { Db } from '../../db/connect.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'
import { fingerprintKey, serviceKey } from './decide.ts'
import type { FoldingLessonRow } from './tables.ts'

/** A lesson as one of its two sides sees it. */
export interface Lesson {
  readonly kind: 'apart' | 'together'
  /** The key of the other side. */
  readonly other: string
  readonly reason: string
}

type LessonDb = Db<IncidentTables>
type Sides = Pick<AlertRow, 'service' | 'fingerprint' | 'reason'>

/** More of one split say the same. */
const MAX_AT_ONCE = 20
const MAX_KEPT = 2000

/** Learns that these alerts do or do not belong with that one. */
export async function learn(
  trx: LessonDb,
  tenant: string,
  kind: FoldingLessonRow['kind'],
  one: Sides,
  others: readonly Sides[],
  { by, reason }: { readonly by: string; readonly reason: string },
  nowMs: number,
): Promise<void> {
  const pairs = new Map<string, FoldingLessonRow>()
  for (const other of others) {
    const sides = sidesOf(one, other)
    const rule = kind === 'apart' ? /^([a-z]+): /.exec(other.reason ?? '')?.[1] : undefined
    const told = rule === undefined ? reason : `${reason}; it had been folded by the rule ${rule}`
    if (sides[0] !== sides[1] && pairs.size < MAX_AT_ONCE)
      pairs.set(sides.join(' '), {
        id: newId('les', nowMs),
        tenant,
        kind,
        a: sides[0],
        b: sides[1],
        reason: told,
        by,
        at: nowMs,
      })
  }
  for (const row of pairs.values())
    await trx
      .insertInto('folding_lessons')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['tenant', 'a', 'b'])
          .doUpdateSet({ kind: row.kind, reason: row.reason, by: row.by, at: row.at }),
      )
      .execute()
}

/** By their services; where that says nothing, by their fingerprints. */
function sidesOf(one: Sides, other: Sides): [string, string] {
  const [a, b] =
    one.service !== null && other.service !== null && one.service !== other.service
      ? [serviceKey(one.service), serviceKey(other.service)]
      : [fingerprintKey(one.fingerprint), fingerprintKey(other.fingerprint)]
  return a < b ? [a, b] : [b, a]
}

/** What was learned about an alert. */
export async function lessonsFor(
  trx: LessonDb,
  tenant: string,
  { service, fingerprint }: Pick<AlertRow, 'service' | 'fingerprint'>,
): Promise<readonly Lesson[]> {
  const keys = [fingerprintKey(fingerprint), ...(service === null ? [] : [serviceKey(service)])]
  const rows = await trx
    .selectFrom('folding_lessons')
    .selectAll()
    .where('tenant', '=', tenant)
    .where((is) => is.or([is('a', 'in', keys), is('b', 'in', keys)]))
    .orderBy('at', 'desc')
    .limit(200)
    .execute()
  return rows.map(({ kind, a, b, reason }) => ({ kind, other: keys.includes(a) ? b : a, reason }))
}

/** Newest first. */
export async function listLessons(db: LessonDb, tenant: string): Promise<readonly FoldingLessonRow[]> {
  return await db
    .selectFrom('folding_lessons')
    .selectAll()
    .where('tenant', '=', tenant)
    .orderBy('at', 'desc')
    .limit(MAX_KEPT)
    .execute()
}

/** Returns whether there was such a lesson. */
export async function unlearn(trx: LessonDb, tenant: string, id: string): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('folding_lessons')
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .executeTakeFirstOrThrow()
  return numDeletedRows > 0n
}
