// The ledger: one row a request, in the journal before a provider is asked and before its answer ends, and soon after in
// the database. The journal costs the main thread one plain write a row; the importer does the rest elsewhere. A
// database that is away holds nobody up; a journal that cannot be written lets no new request in.
import { unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Gauge } from 'prom-client'
import type { Clock } from '../../core/clock.ts'
import { AppError, describeError } from '../../core/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { Log } from '../../observe/log.ts'
import type { Metrics } from '../../observe/metrics.ts'
import type { GatewayTables, LedgerRow } from '../tables.ts'
import { importInThread } from './import-in-thread.ts'
import { importHere, type News, type StartImport } from './import-work.ts'
import { Journal } from './journal.ts'
import { rowLine } from './line.ts'
import { isDiskFull, Reserve } from './reserve.ts'
import { listSegments } from './segments.ts'

export interface Ledger {
  /** When it returns, the row outlives the process. Throws `unavailable`: then no provider may be asked. */
  open(row: LedgerRow): void
  /**
   * When it returns, the row outlives the process, or (where it had been opened) is kept in memory until it can be written.
   * With `sync: answer` there is a promise that resolves when it outlives a power cut too. Never throws or rejects.
   */
  settle(row: LedgerRow): Promise<void> | undefined
  /** Resolves when all that was opened and settled by now is in the database. Throws `unavailable` when that takes too long. */
  flush(): Promise<void>
  /** Why no request can be let in right now; undefined when one can. */
  trouble(): string | undefined
  /** Imports what is left, as far as the database takes it: the rest is done at the next start. */
  stop(): Promise<void>
}

export interface LedgerOptions {
  /** Of the journal. Made, if need be; no other process may use it (the data folder's lock sees to that). */
  readonly folder: string
  /** Where the rows go: a file, which gets a thread of its own, or a database that only this thread can reach. */
  readonly database: { readonly file: string } | { readonly db: Db<GatewayTables> }
  readonly sync: 'background' | 'answer'
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
  /** A file of the journal that is larger is followed by a new one. */
  readonly segmentBytes?: number
  /** Kept free on the disk for the ends of requests under way. */
  readonly reserveBytes?: number
  readonly startImport?: StartImport
}

const SEGMENT_BYTES = 8 << 20
const RESERVE_BYTES = 4 << 20
const RETRY_MS = 1_000
const FLUSH_MS = 5_000

/** What an earlier run left behind is imported in the background. Throws `unavailable` where the folder cannot be used. */
export function createLedger(options: LedgerOptions): Ledger {
  const { folder, database, sync, clock, log } = options
  const journal = openJournal(options)
  const reserve = new Reserve(folder, options.reserveBytes ?? RESERVE_BYTES)
  const stopping = new AbortController()
  /** Ids of requests that were let in and have not ended. */
  const underWay = new Set<string>()
  /** Ends that could not be written: the newest line of each row. */
  const owed = new Map<string, string>()
  let debtor: Promise<void> | undefined
  /** Since when the journal cannot be written: told once, however many requests meet it. */
  let failing = false
  /** Lines before this one are in the database. */
  let imported = listSegments(folder)[0]?.base ?? journal.lines
  /** The importer will look again by itself. */
  let awake = false
  let waiting: { readonly lines: number; readonly resolve: () => void }[] = []

  const wake = (urgent: boolean): void => {
    if (awake && !urgent) return
    awake = true
    importing.wake(urgent)
  }

  const onNews = (news: News): void => {
    switch (news.kind) {
      case 'imported': {
        imported = news.lines
        const done = waiting.filter(({ lines }) => lines <= imported)
        if (done.length === 0) break
        waiting = waiting.filter(({ lines }) => lines > imported)
        for (const { resolve } of done) resolve()
        break
      }
      case 'idle':
        awake = false
        // Whoever waits has woken it; what is left was written meanwhile, and can wait for more.
        if (imported < journal.lines) wake(false)
        break
      case 'marked':
        log.warn({ count: news.count }, 'requests were under way when Midwatch ended; their cost is unknown')
        break
      case 'damaged':
        log.warn(
          { count: news.count, segment: news.segment },
          'lines of the journal were cut or damaged, as a crash leaves them; they were passed over',
        )
        break
      case 'rejected':
        log.error(
          { id: news.id, why: news.why },
          `the database refuses a row of the ledger; it is kept in ${folder}/rejected`,
        )
        break
      case 'failing':
        log.error(
          { why: news.why },
          'the ledger cannot be imported right now; the journal keeps it, and it is tried again',
        )
        break
      case 'working':
        log.info('the ledger is imported again')
    }
  }

  const startImport =
    options.startImport ??
    ('file' in database ? importInThread({ databaseFile: database.file, log }) : importHere(database.db))
  const importing = startImport(folder, onNews, clock)

  // eslint-disable-next-line no-new -- it registers itself, and is read only by its own collect
  new Gauge({
    name: 'midwatch_ledger_pending_rows',
    help: 'Lines of the ledger that are written but not in the database yet.',
    registers: [options.metrics],
    collect() {
      this.set(Math.max(0, journal.lines - imported) + owed.size)
    },
  })

  /** Writes the end of a request that was let in: into the room that was kept for it, if need be. */
  const appendEnd = (line: string): void => {
    for (;;) {
      try {
        journal.append(line)
        return
      } catch (error) {
        if (!isDiskFull(error) || !reserve.release(line.length)) throw error
      }
    }
  }

  const noteWritten = (): void => {
    if (failing) log.info('the journal of the ledger can be written again')
    failing = false
  }

  const noteFailed = (error: unknown): void => {
    if (!failing) log.error({ err: error }, 'the journal of the ledger cannot be written; no provider is asked')
    failing = true
  }

  /** Writes what is owed, until something cannot be written. */
  const payDebts = (): void => {
    try {
      for (const [id, line] of owed) {
        appendEnd(line)
        owed.delete(id)
      }
    } catch (error) {
      noteFailed(error)
    }
  }

  const payLater = async (): Promise<void> => {
    while (owed.size > 0 && !stopping.signal.aborted) {
      await clock.sleep(RETRY_MS, stopping.signal).catch(() => undefined)
      payDebts()
      wake(false)
    }
    debtor = undefined
  }

  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopping.abort()
    await debtor
    payDebts()
    if (owed.size > 0) log.error({ count: owed.size }, 'ends of requests were not recorded; a start will mark them')
    await journal.close()
    await importing.stop()
    reserve.close()
  }

  // The first line ends what died with the last process. On a full disk it is written with the first request.
  try {
    journal.begin()
  } catch (error) {
    noteFailed(error)
  }
  reserve.isWhole(clock.now())
  wake(true)

  return {
    open: (row) => {
      try {
        if (stopping.signal.aborted) throw new AppError('unavailable', 'Midwatch is stopping. Try again in a moment.')
        if (!reserve.isWhole(clock.now())) throw reserve.failure ?? new Error('the reserve is in use')
        journal.append(rowLine('open', row))
      } catch (error) {
        if (error instanceof AppError) throw error
        noteFailed(error)
        throw new AppError('unavailable', 'Midwatch cannot record the request right now, so it was not sent.', {
          cause: error,
        })
      }
      underWay.add(row.id)
      noteWritten()
      wake(false)
    },
    settle: (row) => {
      const line = rowLine('settle', row)
      const wasOpen = underWay.delete(row.id) || owed.has(row.id)
      try {
        if (wasOpen) appendEnd(line)
        else journal.append(line)
        owed.delete(row.id)
      } catch (error) {
        noteFailed(error)
        // No provider heard of the others, and of these a full disk brings without number.
        if (!wasOpen) return undefined
        owed.set(row.id, line)
        debtor ??= payLater()
        return undefined
      }
      wake(false)
      return sync === 'answer' ? journal.synced() : undefined
    },
    flush: async () => {
      payDebts()
      if (owed.size > 0) throw notYet()
      const { lines } = journal
      if (imported >= lines) return
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ lines, resolve })
      wake(true)
      const enough = new AbortController()
      try {
        const late = clock.sleep(FLUSH_MS, enough.signal).then(
          () => Promise.reject(notYet()),
          () => undefined,
        )
        await Promise.race([promise, late])
      } finally {
        enough.abort()
        waiting = waiting.filter((one) => one.resolve !== resolve)
      }
    },
    trouble: () => {
      if (!reserve.isWhole(clock.now())) return describeError(reserve.failure ?? 'the reserve on the disk is in use')
      return failing ? whyNotWritable(folder) : undefined
    },
    stop: () => (stopped ??= stop()),
  }
}

/** Nobody may come any more to find out whether the journal can be written again. */
function whyNotWritable(folder: string): string | undefined {
  const file = join(folder, 'trial')
  try {
    writeFileSync(file, 'a line of the journal')
    unlinkSync(file)
    return undefined
  } catch (error) {
    return describeError(error)
  }
}

const notYet = (): AppError =>
  new AppError('unavailable', 'The latest calls are not in the database yet. Try again in a moment.', {
    retryAfterSeconds: 1,
  })

function openJournal({ folder, segmentBytes = SEGMENT_BYTES, log }: LedgerOptions): Journal {
  try {
    return new Journal({
      folder,
      segmentBytes,
      onSyncFailure: (error) => log.error({ err: error }, 'the journal of the ledger could not be flushed to the disk'),
    })
  } catch (error) {
    throw new AppError(
      'unavailable',
      `The journal of the ledger cannot be kept in ${folder}. Make the folder writable.`,
      {
        cause: error,
      },
    )
  }
}
