// One process a data folder. The lock is SQLite's own on a file beside the database: the system lets go of it when
// the process dies, however it dies, so that no stale lock ever needs to be removed by hand.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '../core/errors.ts'

/** Takes the folder for this process. Throws AppError `conflict` when another one has it. */
export function lockFolder(folder: string): { release(): void } {
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw new AppError('unavailable', `The data folder ${folder} cannot be made. Choose another with --data.`, {
      cause: error,
    })
  }
  const database = new DatabaseSync(join(folder, 'lock.db'))
  try {
    database.exec('pragma busy_timeout = 500; begin exclusive')
  } catch (error) {
    database.close()
    throw new AppError(
      'conflict',
      `Another Midwatch uses the data folder ${folder}. Stop it, or choose another folder with --data.`,
      {
        cause: error,
      },
    )
  }
  return { release: () => database.close() }
}
