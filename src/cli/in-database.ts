// Commands that read a data folder themselves, also while Midwatch runs.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { AppError } from '../core/errors.ts'
import { databaseFile, openDatabase } from '../database.ts'
import type { Connection } from '../db/connect.ts'

/** Opens the database, makes it where there is none, and closes it however `use` ends. */
export async function inDatabase<T>(folder: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await openDatabase(folder)
  try {
    return await use(connection)
  } finally {
    await connection.close()
  }
}

/** For what is recorded already: an empty database in a folder named by mistake would answer that all is well. */
export function inStoredDatabase<T>(folder: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  if (existsSync(databaseFile(folder))) return inDatabase(folder, use)
  throw new AppError(
    'not_found',
    `Midwatch has kept nothing in ${resolve(folder)}. Name its data folder in the config file, or with --data where the command takes it.`,
  )
}
