// A connection of one of the store's threads: plain statements, prepared once, for everything here is synchronous and lies in
// a thread of its own.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

const CACHE_KIB = 64 * 1024
/** Whoever waits here holds no one but the store. */
const BUSY_MS = 10_000

export class Database {
  readonly #native: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(file: string, use: 'read' | 'write') {
    this.#native = new DatabaseSync(file, { timeout: BUSY_MS })
    this.exec('pragma journal_mode = wal')
    // Cases of incidents are kept here too, and an erasure that was answered has to last.
    this.exec('pragma synchronous = full')
    this.exec(`pragma cache_size = -${CACHE_KIB}`)
    this.exec('pragma temp_store = memory')
    if (use === 'read') this.exec('pragma query_only = on')
  }

  exec(sql: string): void {
    this.#native.exec(sql)
  }

  run(sql: string, ...values: readonly SQLInputValue[]): { changes: number; lastId: number } {
    const { changes, lastInsertRowid } = this.#prepared(sql).run(...values)
    return { changes: Number(changes), lastId: Number(lastInsertRowid) }
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the row's columns are the caller's SQL
  get<T>(sql: string, ...values: readonly SQLInputValue[]): T | undefined {
    return this.#prepared(sql).get(...values) as T | undefined
  }

  all<T>(sql: string, ...values: readonly SQLInputValue[]): T[] {
    return this.#prepared(sql).all(...values) as T[]
  }

  iterate<T>(sql: string, ...values: readonly SQLInputValue[]): Iterable<T> {
    return this.#prepared(sql).iterate(...values) as Iterable<T>
  }

  /** Everything in it or nothing. */
  write<T>(work: () => T): T {
    return this.#within('begin immediate', work)
  }

  /** Everything in it sees the database at one moment. */
  read<T>(work: () => T): T {
    return this.#within('begin', work)
  }

  close(): void {
    this.#statements.clear()
    this.#native.close()
  }

  #within<T>(begin: string, work: () => T): T {
    this.exec(begin)
    try {
      const result = work()
      this.exec('commit')
      return result
    } catch (error) {
      // A full disk ends the transaction by itself.
      if (this.#native.isTransaction) this.exec('rollback')
      throw error
    }
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    // Each collection has statements of its own.
    if (this.#statements.size >= 500) this.#statements.clear()
    const statement = this.#native.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
