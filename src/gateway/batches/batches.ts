// The batches as the edge sees them, and the jobs by which they are carried out: durable, a few at once, and each makes
// way for the next after a while, so that one long batch keeps no other waiting until it ends.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Caller, mayDo } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Db } from '../../db/connect.ts'
import { createWorker, enqueue, type Job, type QueueTables, type Worker } from '../../db/queue.ts'
import type { Log } from '../../observe/log.ts'
import type { Gateway } from '../gateway.ts'
import { BATCH_ENDPOINTS } from './endpoints.ts'
import type { FileStore, Page } from './file-store.ts'
import { Places } from './pace.ts'
import { runBatch } from './run-batch.ts'
import { type BatchRow, type BatchTables, ENDED } from './tables.ts'

export interface NewBatch {
  readonly endpoint: string
  readonly inputFileId: string
  readonly completionWindow: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly outputExpiresAfterS: number | null
}

export interface BatchesOptions {
  readonly db: Db<BatchTables & QueueTables>
  readonly files: FileStore
  /** Where it keeps what is being written. */
  readonly folder: string
  readonly gateway: Pick<Gateway, 'serve' | 'models' | 'hasRoom'>
  /** The owner as they are now; undefined: their key is revoked. */
  readonly callerOf: (owner: Caller) => Promise<Caller | undefined>
  readonly clock: Clock
  readonly log: Log
  readonly random?: () => number
}

const WINDOW_MS = 24 * 3600_000
/** Batches at once. */
const CONCURRENCY = 4
/** After so long, a batch makes way for another. */
const TURN_MS = 30_000
const FAILED_PAUSE_MS = 15_000

export class Batches {
  readonly #options: BatchesOptions
  readonly #worker: Worker
  readonly #places: Places
  readonly #running = new Set<string>()
  readonly #cancelled = new Set<string>()

  constructor(options: BatchesOptions) {
    const { db, clock, log, random = Math.random } = options
    this.#options = options
    this.#places = new Places((taken) => options.gateway.hasRoom(taken))
    this.#worker = createWorker({ db, handlers: { batch: this.#run }, clock, log, random, concurrency: CONCURRENCY })
  }

  /** Goes on with what a stop or a crash left. */
  async start(): Promise<void> {
    const { db, clock, folder } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const left = await db.selectFrom('batches').select('id').where('status', 'not in', ENDED).execute()
    const ids = new Set(left.map(({ id }) => id))
    for (const name of await readdir(folder)) {
      if (!ids.has(name.split('.')[0] ?? '')) await rm(join(folder, name), { force: true })
    }
    for (const id of ids) await this.#enqueue(db, id, clock.now())
    this.#worker.start()
  }

  async stop(): Promise<void> {
    await this.#worker.stop()
  }

  /** Throws `malformed` naming the field, `not_found`, `forbidden`. */
  async create(caller: Caller, wanted: NewBatch): Promise<BatchRow> {
    const { db, files, clock } = this.#options
    const endpoint = BATCH_ENDPOINTS.get(wanted.endpoint)
    if (!endpoint) {
      const known = [...BATCH_ENDPOINTS.keys()].join(', ')
      throw new AppError('malformed', `A batch cannot call ${wanted.endpoint}. It can call ${known}.`, {
        field: 'endpoint',
      })
    }
    if (!mayDo(caller, endpoint.scope)) {
      throw new AppError(
        'forbidden',
        `The key "${caller.name}" lacks the scope ${endpoint.scope}, which this batch needs.`,
      )
    }
    const input = await files.find(caller.tenant, wanted.inputFileId)
    if (input?.purpose !== 'batch') {
      const why = input ? 'is the output of a batch' : 'does not exist'
      throw new AppError('malformed', `The file ${wanted.inputFileId} ${why}. Upload one with purpose batch.`, {
        field: 'input_file_id',
      })
    }
    const now = clock.now()
    const row: BatchRow = {
      ...UNBORN,
      id: newId('batch', now),
      tenant: caller.tenant,
      caller: JSON.stringify(caller),
      endpoint: wanted.endpoint,
      input_file_id: input.id,
      completion_window: wanted.completionWindow,
      metadata: wanted.metadata && JSON.stringify(wanted.metadata),
      output_expires_after_s: wanted.outputExpiresAfterS,
      created_at: now,
      expires_at: now + WINDOW_MS,
    }
    await db.transaction().execute(async (trx) => {
      // It may have been deleted since it was looked at.
      const there = await trx.selectFrom('files').select('id').where('id', '=', input.id).executeTakeFirst()
      if (!there) throw new AppError('not_found', `There is no file ${input.id}.`)
      await trx.insertInto('batches').values(row).execute()
      await this.#enqueue(trx, row.id, now)
    })
    this.#worker.wake()
    return row
  }

  /** Throws `not_found`, also where it is another tenant's. */
  async get(tenant: string, id: string): Promise<BatchRow> {
    const row = await this.#options.db
      .selectFrom('batches')
      .selectAll()
      .where('id', '=', id)
      .where('tenant', '=', tenant)
      .executeTakeFirst()
    if (!row) throw new AppError('not_found', `There is no batch ${id}.`)
    return row
  }

  /** The newest first; one more than the limit where there are more. */
  list(tenant: string, { after, limit }: Omit<Page, 'order'>): Promise<BatchRow[]> {
    return this.#options.db
      .selectFrom('batches')
      .selectAll()
      .where('tenant', '=', tenant)
      .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
      .orderBy('id', 'desc')
      .limit(limit + 1)
      .execute()
  }

  /** What is under way is finished, the rest is not asked. Throws `not_found`, `conflict`. */
  async cancel(tenant: string, id: string): Promise<BatchRow> {
    const { db, clock } = this.#options
    const row = await this.get(tenant, id)
    const patched = await db
      .updateTable('batches')
      .set({ status: 'cancelling', cancelling_at: clock.now() })
      .where('id', '=', id)
      .where('status', 'in', ['validating', 'in_progress'])
      .executeTakeFirst()
    if (patched.numUpdatedRows === 0n && row.status !== 'cancelling') {
      throw new AppError('conflict', `The batch ${id} is ${row.status} and cannot be cancelled any more.`)
    }
    this.#cancelled.add(id)
    return this.get(tenant, id)
  }

  async #enqueue(db: Db<BatchTables & QueueTables>, id: string, runAtMs: number): Promise<void> {
    // A key of its own each time: that of a job that has run keeps others out.
    await enqueue(db, { kind: 'batch', key: `${id} ${newId('turn', runAtMs)}`, payload: { id }, runAtMs })
  }

  readonly #run = async ({ payload }: Job, signal: AbortSignal): Promise<void> => {
    const { id } = payload as { id: string }
    const { db, clock, log, random = Math.random } = this.#options
    // After a crash two jobs may stand for one batch.
    if (this.#running.has(id)) return
    this.#running.add(id)
    try {
      const end = await runBatch(
        { ...this.#options, random, places: this.#places, isCancelled: (id) => this.#cancelled.has(id) },
        id,
        signal,
        clock.now() + TURN_MS,
      )
      if (end === 'more') await this.#enqueue(db, id, clock.now())
      else this.#cancelled.delete(id)
    } catch (error) {
      if (signal.aborted) throw error
      // As long as its window lasts it is worth another try: a disk is full or a database away for a time only.
      log.error({ err: error, batch: id }, 'a batch could not go on; it will be tried again')
      await this.#enqueue(db, id, clock.now() + FAILED_PAUSE_MS)
    } finally {
      this.#running.delete(id)
      this.#worker.wake()
    }
  }
}

const UNBORN = {
  status: 'validating',
  closing: null,
  errors: null,
  model: null,
  total: 0,
  completed: 0,
  failed: 0,
  usage: null,
  output_file_id: null,
  error_file_id: null,
  in_progress_at: null,
  finalizing_at: null,
  completed_at: null,
  failed_at: null,
  expired_at: null,
  cancelling_at: null,
  cancelled_at: null,
} as const satisfies Partial<BatchRow>
