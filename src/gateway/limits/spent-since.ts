// What the ledger says a budget has been used for: of each request what it cost, or what was reserved for it where that
// is not known (it is under way, a crash cut it off, its usage was never told). Questions that come up together are one
// statement, for each reads all rows of the period.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Db } from '../../db/connect.ts'
import type { GatewayTables } from '../tables.ts'
import type { SpentSince } from './spending.ts'
import type { Subject, SubjectKind } from './subjects.ts'

const COLUMN = { key: 'key_id', user: 'user_hash', team: 'team', model: 'model' } as const satisfies Record<
  SubjectKind,
  keyof GatewayTables['ledger']
>

/** Parameters of one statement. */
const ASKED_AT_ONCE = 500

interface Question {
  /** Resolves to the sums by value, for those that have any. */
  readonly answer: Promise<ReadonlyMap<string, number>>
  readonly values: Set<string>
}

export function createSpentSince(db: Db<GatewayTables>): SpentSince {
  const open = new Map<string, Question>()
  return async ({ kind, tenant, value }: Subject, fromMs) => {
    const under = JSON.stringify([kind, tenant, fromMs])
    let question = open.get(under)
    if (!question || question.values.size >= ASKED_AT_ONCE) {
      const values = new Set<string>()
      const answer = nextTurn().then(() => {
        open.delete(under)
        return readSums(db, kind, tenant, fromMs, [...values])
      })
      question = { answer, values }
      open.set(under, question)
    }
    question.values.add(value)
    return (await question.answer).get(value) ?? 0
  }
}

async function readSums(
  db: Db<GatewayTables>,
  kind: SubjectKind,
  tenant: string | undefined,
  fromMs: number,
  values: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const column = COLUMN[kind]
  const rows = await db
    .selectFrom('ledger')
    .select([column, sql<number | string>`sum(coalesce(charged_micro_usd, cost_micro_usd, 0))`.as('spent')])
    .where('at', '>=', fromMs)
    .where(column, 'in', values)
    // Of all tenants: named one by one, for the index by time begins with the tenant.
    .where((eb) =>
      tenant === undefined
        ? eb('tenant', 'in', eb.selectFrom('ledger').select('tenant').distinct())
        : eb('tenant', '=', tenant),
    )
    .groupBy(column)
    .execute()
  return new Map(rows.map((row) => [String(row[column]), Number(row.spent)]))
}

/** What stands for this ledger among all that share budgets; the same after every restart. */
export async function readLedgerId(db: Db<GatewayTables>): Promise<string> {
  const { id } = await db.selectFrom('ledger_identity').select('id').executeTakeFirstOrThrow()
  return id
}
