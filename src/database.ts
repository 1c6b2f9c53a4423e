// The database of a data folder with every feature's tables in it: what the server opens, and what commands open that
// work without a server.
import { join } from 'node:path'
import { accessMigrations } from './access/tables.ts'
import { auditMigrations } from './audit/tables.ts'
import { connectSqlite, type Connection } from './db/connect.ts'
import { migrate } from './db/migrate.ts'
import { queueMigrations } from './db/queue.ts'
import { writeCheckMigrations } from './db/write-check.ts'
import { batchMigrations } from './gateway/batches/tables.ts'
import { gatewayMigrations } from './gateway/tables.ts'
import { checkpointMigrations } from './incidents/investigation/checkpoint-tables.ts'
import { incidentMigrations } from './incidents/tables.ts'

export const databaseFile = (dataFolder: string): string => join(dataFolder, 'midwatch.db')

/** Opens and migrates. Throws AppError when a newer Midwatch has written it. */
export async function openDatabase(dataFolder: string): Promise<Connection> {
  const connection = connectSqlite(databaseFile(dataFolder))
  try {
    await migrate(connection, [
      ...accessMigrations,
      ...auditMigrations,
      ...gatewayMigrations,
      ...batchMigrations,
      ...queueMigrations,
      ...checkpointMigrations,
      ...incidentMigrations,
      ...writeCheckMigrations,
    ])
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}
