// Brings the changes that sources know of (repositories, places that deploy) in among those that were reported: now and then,
// and at once when an incident is looked at. A source that cannot be asked keeps nothing from the others; that it could not is
// remembered, so that a report can say so.
import type { Clock } from '../core/clock.ts'
import { withDeadline } from '../core/deadline.ts'
import { AppError, describeError } from '../core/errors.ts'
import type { Change, ChangeSource } from '../core/telemetry.ts'
import type { Db } from '../db/connect.ts'
import type { Log } from '../observe/log.ts'
import { changesBody, storeChanges } from './changes.ts'
import type { IncidentTables } from './tables.ts'

export interface ChangeCollectorOptions {
  readonly db: Db<IncidentTables>
  readonly sources: readonly ChangeSource[]
  /** Whose changes they are. */
  readonly tenant: string
  readonly clock: Clock
  readonly log: Log
}

export interface ChangeCollector {
  start(): void
  stop(): Promise<void>
  /** Reads what is new. Never fails; asking again while it reads waits for the same. */
  collect(): Promise<void>
  /** Which sources could not be read the last time, and why. */
  problems(): readonly { readonly source: string; readonly reason: string }[]
}

const INTERVAL_MS = 60_000
const DEADLINE_MS = 10_000
/** At the first time. */
const LOOK_BACK_MS = 24 * 3_600_000
/** Each time once more, as changes may be listed late. */
const OVERLAP_MS = 30 * 60_000
const BATCH = 500

export function createChangeCollector(options: ChangeCollectorOptions): ChangeCollector {
  const { db, sources, tenant, clock, log } = options
  const stopping = new AbortController()
  const readUntil = new Map<ChangeSource, number>()
  const failures = new Map<ChangeSource, string>()
  let reading: Promise<void> | undefined
  let loop: Promise<void> | undefined

  const collectFrom = async (source: ChangeSource): Promise<void> => {
    const toMs = clock.now()
    const fromMs = (readUntil.get(source) ?? toMs - LOOK_BACK_MS + OVERLAP_MS) - OVERLAP_MS
    try {
      const changes = await withDeadline(clock, DEADLINE_MS, stopping.signal, (signal) =>
        source.read({ fromMs, toMs }, signal),
      )
      for (let at = 0; at < changes.length; at += BATCH)
        await storeChanges(db, tenant, cleaned(changes.slice(at, at + BATCH)), toMs)
      readUntil.set(source, toMs)
      failures.delete(source)
    } catch (error) {
      if (stopping.signal.aborted) return
      failures.set(source, error instanceof AppError ? error.message : describeError(error))
      log.warn({ err: error, source: source.name }, 'changes could not be read')
    }
  }

  const collect = (): Promise<void> => {
    reading ??= Promise.all(sources.map(collectFrom))
      .then(() => undefined)
      .finally(() => (reading = undefined))
    return reading
  }

  return {
    collect,
    problems: () => [...failures].map(([{ name }, reason]) => ({ source: name, reason })),
    start() {
      if (sources.length === 0) return
      loop ??= (async () => {
        while (!stopping.signal.aborted) {
          await collect()
          await clock.sleep(INTERVAL_MS, stopping.signal).catch(() => undefined)
        }
      })()
    },
    async stop() {
      stopping.abort(new AppError('unavailable'))
      await Promise.all([loop, reading])
    },
  }
}

/** By the same rules as those that are reported: nothing of them is stored as it came. */
function cleaned(changes: readonly Change[]) {
  return changes.flatMap((change) => {
    const parsed = changesBody.safeParse(change)
    return parsed.success ? parsed.data : []
  })
}
