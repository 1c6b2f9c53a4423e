// The one seam between us and the database. Kysely speaks to `node:sqlite` here; the SQL of every feature is
// written so that PostgreSQL can run it too: text, bigint and double columns, JSON as text, times in ms.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Kysely, type SqliteDatabase, type SqliteStatement } from 'kysely'
import { BLOCKING_MS, PatientSqliteDialect } from './patience.ts'

/** A database seen through the tables of one feature. */
export type Db<Tables> = Kysely<Tables>

export interface Connection {
  readonly kind: 'sqlite'
  /** The same database through the tables of any feature. */
  as<Tables>(): Db<Tables>
  close(): Promise<void>
}

/**
 * Opens (and makes, with its folder) the embedded database. `:memory:` for tests.
 * Every commit is on the disk before it returns (`synchronous=full`), for alerts and ledger rows are promised durable.
 */
export function connectSqlite(file: string): Connection {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // The patience comes first: the change to a write-ahead log needs the file for itself for a moment.
  const native = new DatabaseSync(file, { timeout: 5000 })
  native.exec('pragma journal_mode = wal')
  native.exec('pragma synchronous = full')
  native.exec('pragma foreign_keys = on')
  native.exec(`pragma busy_timeout = ${BLOCKING_MS}`)
  const kysely = new Kysely<unknown>({ dialect: new PatientSqliteDialect({ database: new NodeSqlite(native) }) })
  return {
    kind: 'sqlite',
    as: <Tables>() => kysely as unknown as Db<Tables>,
    close: async () => {
      await kysely.destroy()
      // Kysely leaves a database open that it was never asked anything about.
      if (native.isOpen) native.close()
    },
  }
}

const CACHED_STATEMENTS = 500

/** `node:sqlite` in the shape that Kysely's SQLite dialect expects. */
class NodeSqlite implements SqliteDatabase {
  readonly #native: DatabaseSync
  readonly #statements = new Map<string, SqliteStatement>()

  constructor(native: DatabaseSync) {
    this.#native = native
  }

  prepare(sql: string): SqliteStatement {
    // A deferred transaction that turns into a writer fails at once when another process wrote in between;
    // an immediate one waits its turn.
    const text = sql === 'begin' ? 'begin immediate' : sql
    const known = this.#statements.get(text)
    if (known) return known
    const statement =
      text === 'rollback' ? new RollbackStatement(this.#native) : new NodeStatement(this.#native.prepare(text))
    if (this.#statements.size >= CACHED_STATEMENTS) this.#statements.clear()
    this.#statements.set(text, statement)
    return statement
  }

  close(): void {
    this.#statements.clear()
    this.#native.close()
  }
}

type Parameters = Parameters_<StatementSync['all']>
type Parameters_<F> = F extends (...args: infer P) => unknown ? P : never

/** A full disk ends a transaction by itself; the complaint that there is none left would take the place of its reason. */
class RollbackStatement implements SqliteStatement {
  readonly reader = false
  readonly #native: DatabaseSync

  constructor(native: DatabaseSync) {
    this.#native = native
  }

  all(): unknown[] {
    return []
  }

  run(): { changes: number; lastInsertRowid: number } {
    if (this.#native.isTransaction) this.#native.exec('rollback')
    return { changes: 0, lastInsertRowid: 0 }
  }

  *iterate(): IterableIterator<unknown> {}
}

class NodeStatement implements SqliteStatement {
  readonly reader: boolean
  readonly #statement: StatementSync

  constructor(statement: StatementSync) {
    this.#statement = statement
    this.reader = statement.columns().length > 0
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...(parameters as unknown as Parameters))
  }

  run(parameters: readonly unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(...(parameters as unknown as Parameters))
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as unknown as Parameters))
  }
}
