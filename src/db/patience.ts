// Waiting for a database that another process writes to. SQLite waits by stopping the thread, and with it every answer
// under way; here only the query waits, and whatever queues up behind it.
import { setTimeout as pause } from 'node:timers/promises'
import { type DatabaseConnection, type Driver, type QueryResult, SqliteDialect } from 'kysely'

/** The thread itself never waits longer than this at a time. */
export const BLOCKING_MS = 20
/** A query fails when it has waited for so long. */
const PATIENCE_MS = 5_000
const PAUSE_MS = 50

export class PatientSqliteDialect extends SqliteDialect {
  override createDriver(): Driver {
    const driver = super.createDriver()
    const acquire = driver.acquireConnection.bind(driver)
    driver.acquireConnection = async () => patient(await acquire())
    return driver
  }
}

const patient = (connection: DatabaseConnection): DatabaseConnection => ({
  streamQuery: (query, size) => connection.streamQuery(query, size),
  // What is told to be busy has done nothing: in a transaction of ours only its beginning can be.
  executeQuery: async <Row>(query: Parameters<DatabaseConnection['executeQuery']>[0]): Promise<QueryResult<Row>> => {
    for (const untilMs = performance.now() + PATIENCE_MS; ;) {
      try {
        return await connection.executeQuery<Row>(query)
      } catch (error) {
        if (!isBusy(error) || performance.now() > untilMs) throw error
      }
      await pause(PAUSE_MS)
    }
  },
})

/** The low byte says it; the others say why. */
const SQLITE_BUSY = 5

export const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (error.errcode & 0xff) === SQLITE_BUSY
