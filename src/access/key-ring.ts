// Answers "whose key is this?" from memory. A key is looked up again every two seconds at most, so a revocation made by
// any process is seen within seconds; and while the database cannot be asked, keys that were known keep working, while
// unknown ones get 503: we cannot know, which is not the same as "no".
import type { Caller } from '../core/caller.ts'
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { AppError } from '../core/errors.ts'
import type { Db } from '../db/connect.ts'
import type { Log } from '../observe/log.ts'
import { findCaller, hashKey, looksLikeKey, toCaller } from './keys.ts'
import type { AccessTables } from './tables.ts'

export interface KeyRing {
  /** Learns the keys there are, so that they also work if the database is lost before their first use. */
  load(): Promise<void>
  /** Throws `unauthenticated`, or `unavailable` when it cannot know. */
  identify(key: string): Promise<Caller>
  /** Waits for what is still being written. */
  stop(): Promise<void>
}

export interface KeyRingOptions {
  readonly db: Db<AccessTables>
  readonly clock: Clock
  readonly log: Log
}

interface Known {
  readonly caller: Caller
  checkedAtMs: number
  usedAtMs: number
}

const TRUSTED_MS = 2_000
const LOOKUP_MS = 1_000
const USE_NOTED_MS = 60_000
const LOADED_KEYS = 10_000
const REMEMBERED_HASHES = 10_000

export function createKeyRing({ db, clock, log }: KeyRingOptions): KeyRing {
  const known = new Map<string, Known>()
  /** The hashes of keys that are known: hashing one costs more than all the rest of looking it up. */
  const hashes = new Map<string, string>()
  const writes = new Set<Promise<unknown>>()
  const stopping = new AbortController()

  /** Throws what the database threw, or `deadline` when it does not answer. */
  const lookUp = (hash: string): Promise<Caller | undefined> =>
    withDeadline(clock, LOOKUP_MS, stopping.signal, () => findCaller(db, hash))

  const noteUse = (entry: Known): void => {
    const now = clock.now()
    if (now - entry.usedAtMs < USE_NOTED_MS) return
    entry.usedAtMs = now
    const write = db
      .updateTable('api_keys')
      .set({ last_used_at: now })
      .where('id', '=', entry.caller.keyId)
      .execute()
      .catch((error: unknown) => log.warn({ err: error }, 'the use of a key could not be noted'))
      .finally(() => writes.delete(write))
    writes.add(write)
  }

  return {
    load: async () => {
      const rows = await db
        .selectFrom('api_keys')
        .selectAll()
        .where('revoked_at', 'is', null)
        .orderBy('last_used_at', 'desc')
        .limit(LOADED_KEYS)
        .execute()
      // Known, but checked at their first use.
      for (const row of rows) {
        known.set(row.hash, { caller: toCaller(row), checkedAtMs: 0, usedAtMs: row.last_used_at ?? 0 })
      }
    },

    identify: async (key) => {
      if (!looksLikeKey(key)) throw new AppError('unauthenticated')
      const hash = hashes.get(key) ?? hashKey(key)
      const entry = known.get(hash)
      if (entry && clock.now() - entry.checkedAtMs < TRUSTED_MS) {
        noteUse(entry)
        return entry.caller
      }
      let caller: Caller | undefined
      try {
        caller = await lookUp(hash)
      } catch (error) {
        if (!entry) {
          throw new AppError('unavailable', 'The key cannot be checked right now. Try again shortly.', { cause: error })
        }
        log.warn(
          { err: error, keyId: entry.caller.keyId },
          'a key could not be checked again; it was known, so it works',
        )
        // Not asked again for a while: requests must not queue up behind a database that is away.
        entry.checkedAtMs = clock.now()
        return entry.caller
      }
      if (!caller) {
        known.delete(hash)
        hashes.delete(key)
        throw new AppError('unauthenticated')
      }
      const fresh: Known = { caller, checkedAtMs: clock.now(), usedAtMs: entry?.usedAtMs ?? 0 }
      known.set(hash, fresh)
      if (hashes.size >= REMEMBERED_HASHES) hashes.clear()
      hashes.set(key, hash)
      noteUse(fresh)
      return caller
    },

    stop: async () => {
      stopping.abort(new AppError('unavailable', 'Midwatch is stopping. Try again in a moment.'))
      await Promise.all(writes)
    },
  }
}
