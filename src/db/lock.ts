// One process a data folder. The lock is SQLite's own on a file beside the database: the system lets go of it when
// the process dies, however it dies, so that no stale lock ever needs to be removed by hand.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { AppError } from '../core/errors.ts'
import { isBusy } from './patience.ts'

/** Takes the folder for this process. Throws AppError: `conflict` when another one has it, else `unavailable`. */
export function lockFolder(folder: string): { release(): void } {
  try {
    // Alerts, approvals and keys' hashes are nobody else's to read.
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new AppError('unavailable', `The data folder ${folder} cannot be made. Choose another with --data.`, {
      cause: error,
    })
  }
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(join(folder, 'lock.db'), { timeout: 500 })
    database.exec('begin exclusive')
  } catch (error) {
    database?.close()
    if (isBusy(error)) {
      throw new AppError(
        'conflict',
        `Another Midwatch uses the data folder ${folder}. Stop it, or choose another folder with --data.`,
        { cause: error },
      )
    }
    throw new AppError('unavailable', `The data folder ${folder} cannot be used. Choose another with --data.`, {
      cause: error,
    })
  }
  const held = database
  return { release: () => held.close() }
}
