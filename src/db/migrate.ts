// Forward-only migrations. Each feature owns its own list; the app joins them. A database that a newer Midwatch
// has touched is refused, and a half-applied migration cannot exist: each runs in one transaction with its record.
import type { Kysely } from 'kysely'
import { AppError } from '../core/errors.ts'
import type { Connection } from './connect.ts'

export interface Migration {
  /** `2026-11-23-incidents`: dated, so that names sort in the order to apply. Never renamed once released. */
  readonly name: string
  up(db: Kysely<unknown>): Promise<void>
}

interface MigrationTables {
  migrations: { name: string; applied_at: number }
}

/** Applies what is missing, in order of name. Returns the names applied now. */
export async function migrate(connection: Connection, migrations: readonly Migration[]): Promise<readonly string[]> {
  const db = connection.as<MigrationTables>()
  await db.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('applied_at', 'bigint', (c) => c.notNull())
    .execute()
  const applied = new Set((await db.selectFrom('migrations').select('name').execute()).map((row) => row.name))
  const unknown = [...applied].filter((name) => !migrations.some((migration) => migration.name === name))
  if (unknown.length > 0) {
    throw new AppError(
      'internal',
      `The database was written by a newer Midwatch (it has ${unknown.join(', ')}). Start that version, or restore a backup.`,
    )
  }
  const missing = migrations.filter(({ name }) => !applied.has(name)).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const migration of missing) {
    await db.transaction().execute(async (trx) => {
      // Another process that starts at the same moment may have applied it while we waited for the lock.
      const done = await trx.selectFrom('migrations').select('name').where('name', '=', migration.name).execute()
      if (done.length > 0) return
      await migration.up(trx as unknown as Kysely<unknown>)
      await trx.insertInto('migrations').values({ name: migration.name, applied_at: Date.now() }).execute()
    })
  }
  return missing.map(({ name }) => name)
}
