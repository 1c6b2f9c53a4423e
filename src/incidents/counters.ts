// Numbers that count up without a hole or a repeat. The row stays locked until the caller's transaction ends,
// so that numbers become visible in the order in which they were given.
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { IncidentTables } from './tables.ts'

/** The next number of this name, from 1. Inside the caller's transaction. */
export async function nextNumber(trx: Db<IncidentTables>, name: string): Promise<number> {
  const row = await trx
    .insertInto('counters')
    .values({ name, value: 1 })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: sql`counters.value + 1` }))
    .returning('value')
    .executeTakeFirstOrThrow()
  return row.value
}

export const incidentNumbers = (tenant: string): string => `incident/${tenant}`
export const eventPositions = (tenant: string): string => `event/${tenant}`
