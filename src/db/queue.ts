// Durable work: rows in our own database, written in the transaction that makes the work necessary, so that neither can
// exist without the other. A job runs at least once: its handler must survive being run again from the start.
// What fails is tried again with growing pauses; what never succeeds stays as `dead` with its last error, and is told.
import { setMaxListeners } from 'node:events'
import type { Kysely } from 'kysely'
import type { Clock } from '../core/clock.ts'
import { AppError, describeError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import type { Log } from '../observe/log.ts'
import type { Db } from './connect.ts'
import type { Migration } from './migrate.ts'

export interface JobRow {
  id: string
  kind: string
  key: string
  payload: string
  state: 'waiting' | 'leased' | 'done' | 'dead'
  run_at: number
  /** Runs that failed. A run cut short by a crash or a stop is not counted: it says nothing about the job. */
  failures: number
  leased_by: string | null
  leased_until: number | null
  last_error: string | null
  finished_at: number | null
}

export interface QueueTables {
  jobs: JobRow
}

export const queueMigrations: readonly Migration[] = [{ name: '2026-11-23-queue', up: createQueueTables }]

async function createQueueTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('jobs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('run_at', 'bigint', (c) => c.notNull())
    .addColumn('failures', 'integer', (c) => c.notNull())
    .addColumn('leased_by', 'text')
    .addColumn('leased_until', 'bigint')
    .addColumn('last_error', 'text')
    .addColumn('finished_at', 'bigint')
    .addUniqueConstraint('jobs_once', ['kind', 'key'])
    .execute()
  await db.schema.createIndex('jobs_by_due').on('jobs').columns(['state', 'run_at']).execute()
}

export interface Job {
  readonly id: string
  readonly kind: string
  readonly key: string
  readonly payload: unknown
  /** 1 for the first run; counts on after each failure. */
  readonly attempts: number
}

export interface NewJob {
  readonly kind: string
  readonly key: string
  readonly payload: unknown
  readonly runAtMs: number
}

/** Call it inside the caller's transaction. A second enqueue of the same (kind, key) does nothing while a row of it is kept. */
export async function enqueue<Tables extends QueueTables>(db: Db<Tables>, job: NewJob): Promise<void> {
  await (db as unknown as Db<QueueTables>)
    .insertInto('jobs')
    .values({
      id: newId('job', job.runAtMs),
      kind: job.kind,
      key: job.key,
      payload: JSON.stringify(job.payload),
      state: 'waiting',
      run_at: job.runAtMs,
      failures: 0,
      leased_by: null,
      leased_until: null,
      last_error: null,
      finished_at: null,
    })
    .onConflict((conflict) => conflict.columns(['kind', 'key']).doNothing())
    .execute()
}

export type JobHandler = (job: Job, signal: AbortSignal) => Promise<void>

export interface WorkerOptions<Tables extends QueueTables> {
  readonly db: Db<Tables>
  readonly handlers: Readonly<Record<string, JobHandler>>
  readonly clock: Clock
  readonly log: Log
  /** Jobs at once; 4 unless told. */
  readonly concurrency?: number
  /** Failed runs until a job is given up; 10 unless told. */
  readonly maxAttempts?: number
  /** 0 to 1; for the jitter of the pauses. */
  readonly random?: () => number
}

export interface Worker {
  /** Takes over what a dead process had leased, then runs what is due. */
  start(): void
  /** Looks for due jobs now rather than at the next poll. Call it after the transaction that enqueued. */
  wake(): void
  /** Takes no new jobs, aborts those under way and waits for them; what did not finish is taken again later. */
  stop(): Promise<void>
}

const POLL_MS = 1000
const LEASE_MS = 60_000
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 5 * 60_000
const MOST_ASKED_MS = 3_600_000
/** How long a finished job is remembered at least, and so how long its key keeps a second one out: starts forget. */
const KEEP_DONE_MS = 30 * 86_400_000

export function createWorker<Tables extends QueueTables>(options: WorkerOptions<Tables>): Worker {
  const { handlers, clock, log, concurrency = 4, maxAttempts = 10, random = Math.random } = options
  const db = options.db as unknown as Db<QueueTables>
  /** New with every start of the process: leases of any other name at start belong to a process that is gone. */
  const runner = newId('run', clock.now())
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  const running = new Set<Promise<void>>()
  let loop: Promise<void> | undefined
  let woken = wakeSignal()

  /** One process owns the embedded database, so every lease found at start is a dead one's. */
  const takeOver = async (): Promise<void> => {
    const left = await db
      .updateTable('jobs')
      .set({ state: 'waiting', leased_by: null, leased_until: null })
      .where('state', '=', 'leased')
      .where('leased_by', '!=', runner)
      // Others may have a worker of their own in this process.
      .where('kind', 'in', Object.keys(handlers))
      .executeTakeFirst()
    if (left.numUpdatedRows > 0n) log.info({ jobs: Number(left.numUpdatedRows) }, 'took over unfinished jobs')
    await db
      .deleteFrom('jobs')
      .where('state', '=', 'done')
      .where('finished_at', '<', clock.now() - KEEP_DONE_MS)
      .execute()
  }

  const lease = async (limit: number): Promise<readonly JobRow[]> => {
    const now = clock.now()
    return await db.transaction().execute(async (trx) => {
      const due = await trx
        .selectFrom('jobs')
        .selectAll()
        .where('kind', 'in', Object.keys(handlers))
        .where((is) =>
          is.or([
            is.and([is('state', '=', 'waiting'), is('run_at', '<=', now)]),
            is.and([is('state', '=', 'leased'), is('leased_until', '<', now), is('leased_by', '!=', runner)]),
          ]),
        )
        .orderBy('run_at')
        .orderBy('id')
        .limit(limit)
        .execute()
      for (const job of due) {
        await trx
          .updateTable('jobs')
          .set({ state: 'leased', leased_by: runner, leased_until: now + LEASE_MS })
          .where('id', '=', job.id)
          .execute()
      }
      return due
    })
  }

  const run = async (row: JobRow): Promise<void> => {
    const attempts = row.failures + 1
    const over = new AbortController()
    const beating = keepLease(row.id, over.signal)
    try {
      const handler = handlers[row.kind]
      if (!handler) throw new Error(`no handler for jobs of kind ${row.kind}`)
      const job = { id: row.id, kind: row.kind, key: row.key, payload: JSON.parse(row.payload) as unknown, attempts }
      await handler(job, stopping.signal)
      await close(row.id, { state: 'done', finished_at: clock.now() })
    } catch (error) {
      if (stopping.signal.aborted) return await close(row.id, { state: 'waiting' })
      const last_error = describeError(error).slice(0, 4000)
      const about = { err: error, job: row.id, kind: row.kind, key: row.key, attempts }
      if (attempts >= maxAttempts) {
        log.error(about, 'a job failed for good; it stays in the jobs table as dead')
        return await close(row.id, { state: 'dead', failures: attempts, last_error, finished_at: clock.now() })
      }
      log.warn(about, 'a job failed and will be tried again')
      await close(row.id, {
        state: 'waiting',
        failures: attempts,
        last_error,
        run_at: clock.now() + Math.max(pause(attempts), askedPause(error)),
      })
    } finally {
      over.abort()
      await beating
    }
  }

  /** Tried until it is written (or a stop is asked for): nobody but the next start would take the job from us. */
  const close = async (id: string, patch: Partial<JobRow>): Promise<void> => {
    for (;;) {
      try {
        await db
          .updateTable('jobs')
          .set({ ...patch, leased_by: null, leased_until: null })
          .where('id', '=', id)
          .where('leased_by', '=', runner)
          .execute()
        return
      } catch (error) {
        if (stopping.signal.aborted) throw error
        log.error({ err: error, job: id }, 'the end of a job could not be written yet')
        await clock.sleep(POLL_MS, stopping.signal).catch(() => undefined)
      }
    }
  }

  const keepLease = async (id: string, over: AbortSignal): Promise<void> => {
    while (!over.aborted) {
      await clock.sleep(LEASE_MS / 3, over).catch(() => undefined)
      if (over.aborted) return
      await db
        .updateTable('jobs')
        .set({ leased_until: clock.now() + LEASE_MS })
        .where('id', '=', id)
        .where('leased_by', '=', runner)
        .execute()
        .catch((error: unknown) => log.warn({ err: error, job: id }, 'a lease could not be renewed'))
    }
  }

  /** Doubles each time; between half and all of it, so that what failed together does not come back together. */
  const pause = (attempts: number): number =>
    Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempts - 1)) * (0.5 + random() / 2)

  const poll = async (): Promise<void> => {
    let tookOver = false
    while (!stopping.signal.aborted) {
      const wake = woken
      try {
        if (!tookOver) await takeOver()
        tookOver = true
        const free = concurrency - running.size
        for (const row of free > 0 ? await lease(free) : []) {
          const done: Promise<void> = run(row)
            .catch((error: unknown) => log.error({ err: error, job: row.id }, 'a job could not be closed'))
            .finally(() => {
              running.delete(done)
              worker.wake()
            })
          running.add(done)
        }
      } catch (error) {
        log.error({ err: error }, 'the job queue could not be read')
      }
      await wake.wait(clock, POLL_MS, stopping.signal)
      if (woken === wake) woken = wakeSignal()
    }
  }

  const worker: Worker = {
    start: () => {
      loop ??= poll()
    },
    wake: () => woken.raise(),
    stop: async () => {
      stopping.abort(new Error('Midwatch is stopping'))
      await loop
      await Promise.all(running)
    },
  }
  return worker
}

/** How long the other side asks to be left alone. */
const askedPause = (error: unknown): number =>
  error instanceof AppError ? Math.min(MOST_ASKED_MS, (error.retryAfterSeconds ?? 0) * 1000) : 0

/** Something to wait for that may be raised before anyone waits. */
function wakeSignal(): { raise(): void; wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> } {
  const raised = new AbortController()
  return {
    raise: () => raised.abort(),
    wait: async (clock, ms, signal) => {
      await clock.sleep(ms, AbortSignal.any([signal, raised.signal])).catch(() => undefined)
    },
  }
}
