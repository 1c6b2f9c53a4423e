// Whether the database takes writes right now. Reading proves little: on a full disk everything can still be read.
import type { Migration } from './migrate.ts'
import type { Db } from './connect.ts'

export interface WriteCheckTables {
  write_checks: { id: number; at: number }
}

export const writeCheckMigrations: readonly Migration[] = [
  {
    name: '2026-11-23-write-check',
    up: (db) =>
      db.schema
        .createTable('write_checks')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('at', 'bigint', (c) => c.notNull())
        .execute(),
  },
]

/** Writes the one row of its table. Throws what the database throws. */
export async function checkWritable(db: Db<WriteCheckTables>, nowMs: number): Promise<void> {
  await db
    .insertInto('write_checks')
    .values({ id: 1, at: nowMs })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ at: nowMs }))
    .execute()
}
