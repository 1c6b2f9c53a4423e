// One ingest of a source into a collection at a time: within the process in the order of asking, and among processes of one data
// folder by SQLite's own lock on a file, which the system lets go of however a process dies. Two at once would harm nothing, but
// do all of the work twice. (Processes of several machines on one PostgreSQL do so.)
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../core/clock.ts'
import { AppError, describeError } from '../../core/errors.ts'
import { sha256Hex } from '../../core/hash.ts'
import { createKeyedLock } from '../../core/keyed-lock.ts'
import { isBusy } from '../../db/patience.ts'

const LOOK_AGAIN_MS = 500

export type OneAtATime = <T>(
  of: { readonly collection: string; readonly place: string },
  work: () => Promise<T>,
  wait: { readonly signal: AbortSignal; readonly onWait?: (() => void) | undefined },
) => Promise<T>

/** `folder` holds the files that are locked. `onWait` is told when another process is at it. */
export function createOneAtATime({ folder, clock }: { readonly folder: string; readonly clock: Clock }): OneAtATime {
  const lock = createKeyedLock()
  return async ({ collection, place }, work, { signal, onWait }) => {
    const name = sha256Hex(`${collection} ${place}`).slice(0, 24)
    return lock(name, async () => {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 })
      } catch (error) {
        throw unusable(folder, error)
      }
      const held = await hold(join(folder, `${name}.db`), clock, signal, onWait)
      try {
        return await work()
      } finally {
        held.close()
      }
    })
  }
}

async function hold(file: string, clock: Clock, signal: AbortSignal, onWait?: () => void): Promise<DatabaseSync> {
  for (let told = false; ;) {
    signal.throwIfAborted()
    let database: DatabaseSync | undefined
    try {
      database = new DatabaseSync(file, { timeout: 0 })
      database.exec('begin exclusive')
      return database
    } catch (error) {
      database?.close()
      if (!isBusy(error)) throw unusable(file, error)
    }
    if (!told) onWait?.()
    told = true
    await clock.sleep(LOOK_AGAIN_MS, signal)
  }
}

/** The disk is full, or it may not be written to. */
const unusable = (path: string, cause: unknown): AppError =>
  new AppError(
    'unavailable',
    `${path} cannot be written to (${describeError(cause)}). Make room or see to its permissions, and try again.`,
    { cause },
  )
