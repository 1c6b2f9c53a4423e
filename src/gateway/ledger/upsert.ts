// Rows into the table, many with one statement. An open never takes the place of an end, so that it does no harm when a
// line comes a second time; an end replaces whatever stands there.
import { CompiledQuery } from 'kysely'
import type { Db } from '../../db/connect.ts'
import type { GatewayTables } from '../tables.ts'
import { LINE_COLUMNS } from './line.ts'

/** Statements are made for these numbers of rows, so that there are few of them to prepare. */
const SIZES = [64, 16, 4, 1] as const

const texts = new Map<number, string>()

/** Rows as `readValues` gives them, no id twice. `db` may be a transaction. */
export async function upsertRows(db: Db<GatewayTables>, rows: readonly (readonly unknown[])[]): Promise<void> {
  let at = 0
  for (const size of SIZES) {
    for (; rows.length - at >= size; at += size) {
      await db.executeQuery(CompiledQuery.raw(textFor(db, size), rows.slice(at, at + size).flat()))
    }
  }
}

function textFor(db: Db<GatewayTables>, size: number): string {
  const known = texts.get(size)
  if (known !== undefined) return known
  // Every row binds every column in this order; so the text fits any rows of that number.
  const blank = Object.fromEntries(LINE_COLUMNS.map((column) => [column, null])) as never
  const text = db
    .insertInto('ledger')
    .values(Array.from({ length: size }, () => blank))
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((eb) =>
          Object.fromEntries(LINE_COLUMNS.slice(1).map((column) => [column, eb.ref(`excluded.${column}`)])),
        )
        .where((eb) => eb.or([eb('ledger.outcome', 'is', null), eb('excluded.outcome' as never, 'is not', null)])),
    )
    .compile().sql
  texts.set(size, text)
  return text
}
