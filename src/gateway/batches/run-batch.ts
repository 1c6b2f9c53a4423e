// Carries a batch through its states: validating → in_progress → finalizing → completed, or failed, expired, cancelled.
// Every step can be done again from its start. A request that was under way when the process died is asked again; what
// was answered is in the journal, and is neither asked nor told a second time.
import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import type { Caller } from '../../core/caller.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Db } from '../../db/connect.ts'
import type { Gateway } from '../gateway.ts'
import { BATCH_ENDPOINTS } from './endpoints.ts'
import type { FileStore } from './file-store.ts'
import { Journal, settleFile, type Verdict } from './journal.ts'
import { askLine, type LineAnswer, revokedAnswer, unaskedLine } from './line-call.ts'
import { isBlank, linesOf } from './lines.ts'
import { Pace, type Places } from './pace.ts'
import { isProblem, type LineRequest, readLine } from './read-line.ts'
import type { BatchRow, BatchTables, FileRow } from './tables.ts'
import { sumUsage } from './usage.ts'
import { MAX_LINE_BYTES, validateInput } from './validate.ts'

export interface BatchRunOptions {
  readonly db: Db<BatchTables>
  readonly files: FileStore
  /** Where journals are kept while a batch runs. */
  readonly folder: string
  readonly gateway: Pick<Gateway, 'serve' | 'models'>
  readonly places: Places
  readonly clock: Clock
  readonly random: () => number
  /** The owner as they are now; undefined: their key is revoked. */
  readonly callerOf: (owner: Caller) => Promise<Caller | undefined>
  /** Whether somebody wants it cancelled. */
  readonly isCancelled: (id: string) => boolean
}

/** Requests of one batch under way at once. */
const PARALLEL = 8
/** How often a request is asked at most while a provider fails it. */
const MAX_TRIES = 5
const PROGRESS_MS = 1_000

export type RunEnd = 'ended' | 'more'

/** `untilMs`: when to make way for another batch; then `more` is left. Throws the signal's reason. */
export async function runBatch(
  options: BatchRunOptions,
  id: string,
  signal: AbortSignal,
  untilMs: number,
): Promise<RunEnd> {
  const run = new BatchRun(options, id, signal, untilMs)
  return run.go()
}

class BatchRun {
  readonly #options: BatchRunOptions
  readonly #id: string
  readonly #signal: AbortSignal
  readonly #untilMs: number

  constructor(options: BatchRunOptions, id: string, signal: AbortSignal, untilMs: number) {
    this.#options = options
    this.#id = id
    this.#signal = signal
    this.#untilMs = untilMs
  }

  async go(): Promise<RunEnd> {
    let batch = await this.#find()
    if (batch.status === 'validating') batch = await this.#validate(batch)
    if (batch.closing === null && (batch.status === 'in_progress' || batch.status === 'cancelling')) {
      const closing = await this.#ask(batch)
      if (closing === 'more') return 'more'
      batch = await this.#beginClosing(closing)
    }
    if (batch.closing !== null && batch.status !== batch.closing) await this.#close(batch, batch.closing)
    return 'ended'
  }

  async #validate({ input_file_id, endpoint }: BatchRow): Promise<BatchRow> {
    const { files, gateway, clock } = this.#options
    const found = await validateInput(files.read(input_file_id), endpoint, gateway.models, this.#signal)
    const now = clock.now()
    if (found.kind === 'bad') {
      await this.#update({ status: 'failed', failed_at: now, errors: JSON.stringify(found.problems) }, 'validating')
    } else {
      const { total, model } = found
      await this.#update({ status: 'in_progress', in_progress_at: now, total, model }, 'validating')
      // Cancelled in the meantime, it still tells how much there was.
      await this.#update({ total, model }, 'cancelling')
    }
    return this.#find()
  }

  /** Asks what is not answered yet. How it ended, or `more`. */
  async #ask(batch: BatchRow): Promise<NonNullable<BatchRow['closing']> | 'more'> {
    const { clock } = this.#options
    const journal = await Journal.open(join(this.#options.folder, this.#id))
    const expired = new AbortController()
    const over = new AbortController()
    const due = clock
      .sleep(Math.max(0, batch.expires_at - clock.now()), AbortSignal.any([this.#signal, over.signal]))
      .then(() => expired.abort(EXPIRED))
      .catch(() => undefined)
    const progress = this.#tellProgress(journal, over.signal)
    try {
      await this.#askAll(batch, journal, expired.signal)
      if (expired.signal.aborted) await this.#leaveRest(batch, journal, 'batch_expired')
      else if (this.#isCancelled(batch)) await this.#leaveRest(batch, journal, 'batch_cancelled')
      else if (journal.counts.completed + journal.counts.failed < batch.total) return 'more'
      return expired.signal.aborted ? 'expired' : this.#isCancelled(batch) ? 'cancelled' : 'completed'
    } finally {
      over.abort()
      await Promise.all([due, progress])
      await journal.close()
      await this.#update(journal.counts)
    }
  }

  async #askAll(batch: BatchRow, journal: Journal, expired: AbortSignal): Promise<void> {
    const { clock, places, random } = this.#options
    const failed = new AbortController()
    const signal = AbortSignal.any([this.#signal, expired, failed.signal])
    setMaxListeners(0, signal)
    const pace = new Pace({ clock, places, random })
    const isOver = () => this.#isCancelled(batch) || clock.now() >= this.#untilMs
    const requests = this.#requests(batch, journal)
    const work = async (): Promise<void> => {
      for await (const request of shared(requests)) {
        const answer = await this.#askOne(batch, request, pace, signal, isOver)
        if (!answer) return
        await journal.add(answer.verdict, request.customId, answer.line)
      }
    }
    const workers = Array.from({ length: PARALLEL }, () =>
      work().catch((error: unknown) => {
        failed.abort(error)
        throw error
      }),
    )
    const ends = await Promise.allSettled(workers)
    await requests.return(undefined)
    this.#signal.throwIfAborted()
    for (const end of ends) if (end.status === 'rejected' && !expired.aborted) throw end.reason
  }

  /** Until it is answered for good; undefined: the turn is over before. */
  async #askOne(
    batch: BatchRow,
    request: LineRequest,
    pace: Pace,
    signal: AbortSignal,
    isOver: () => boolean,
  ): Promise<{ verdict: Verdict; line: Buffer } | undefined> {
    const { gateway, callerOf } = this.#options
    const endpoint = BATCH_ENDPOINTS.get(batch.endpoint)
    if (!endpoint) throw new AppError('internal', undefined, { cause: new Error(`no endpoint ${batch.endpoint}`) })
    const purpose = `batch ${this.#id}`
    for (let tries = 1; await pace.enter(signal, isOver); tries++) {
      let answer: LineAnswer
      try {
        const caller = await callerOf(JSON.parse(batch.caller) as Caller)
        if (!caller) return revokedAnswer(endpoint, request.customId)
        answer = await askLine({ gateway, endpoint, caller, request, purpose, signal })
      } finally {
        pace.leave()
      }
      // An answer that came because we broke off is none.
      signal.throwIfAborted()
      if (!answer.again || (answer.again.who === 'provider' && tries >= MAX_TRIES)) {
        pace.goOn()
        return answer
      }
      pace.pause(answer.again.afterMs)
    }
    return undefined
  }

  async *#requests(batch: BatchRow, journal: Journal): AsyncGenerator<LineRequest, undefined, undefined> {
    const source = this.#options.files.read(batch.input_file_id)
    try {
      for await (const line of linesOf(source, MAX_LINE_BYTES)) {
        if (line.bytes !== 'too long' && isBlank(line.bytes)) continue
        const read = readLine(line, batch.endpoint)
        if (!isProblem(read) && !journal.has(read.customId)) yield read
      }
    } finally {
      source.destroy()
    }
  }

  async #leaveRest(batch: BatchRow, journal: Journal, code: 'batch_expired' | 'batch_cancelled'): Promise<void> {
    for await (const { customId } of this.#requests(batch, journal)) {
      await journal.add('failed', customId, unaskedLine(customId, code))
    }
  }

  async #beginClosing(closing: NonNullable<BatchRow['closing']>): Promise<BatchRow> {
    const now = this.#options.clock.now()
    await this.#update({
      closing,
      output_file_id: newId('file', now),
      error_file_id: newId('file', now),
      ...(closing === 'cancelled' ? {} : { status: 'finalizing', finalizing_at: now }),
    })
    return this.#find()
  }

  /** The files get their place and their rows, and the batch its end, all in one. */
  async #close(batch: BatchRow, closing: NonNullable<BatchRow['closing']>): Promise<void> {
    const { db, files, folder, clock } = this.#options
    const journal = join(folder, this.#id)
    const settled = async (from: string, id: string | null, name: string): Promise<FileRow | undefined> => {
      if (id === null) return undefined
      const bytes = await settleFile(from, files.path(id))
      return bytes === undefined ? undefined : this.#fileRow(batch, id, `${this.#id}_${name}.jsonl`, bytes)
    }
    const output = await settled(`${journal}.output`, batch.output_file_id, 'output')
    const errors = await settled(`${journal}.errors`, batch.error_file_id, 'error')
    const usage = output && (await sumUsage(files.read(output.id)))
    await db.transaction().execute(async (trx) => {
      const rows = [output, errors].filter((row) => row !== undefined)
      if (rows.length > 0) await trx.insertInto('files').values(rows).execute()
      await trx
        .updateTable('batches')
        .set({
          status: closing,
          [`${closing}_at`]: clock.now(),
          output_file_id: output?.id ?? null,
          error_file_id: errors?.id ?? null,
          usage: usage ? JSON.stringify(usage) : null,
        })
        .where('id', '=', this.#id)
        .execute()
    })
  }

  #fileRow({ tenant, caller, output_expires_after_s }: BatchRow, id: string, filename: string, bytes: number): FileRow {
    const now = this.#options.clock.now()
    return {
      id,
      tenant,
      key_id: (JSON.parse(caller) as Caller).keyId,
      filename,
      purpose: 'batch_output',
      bytes,
      created_at: now,
      expires_at: output_expires_after_s === null ? null : now + output_expires_after_s * 1000,
    }
  }

  async #tellProgress(journal: Journal, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#options.clock.sleep(PROGRESS_MS, over).catch(() => undefined)
      if (!over.aborted) await this.#update(journal.counts).catch(() => undefined)
    }
  }

  readonly #isCancelled = ({ id, status }: BatchRow): boolean =>
    status === 'cancelling' || this.#options.isCancelled(id)

  async #find(): Promise<BatchRow> {
    return this.#options.db.selectFrom('batches').selectAll().where('id', '=', this.#id).executeTakeFirstOrThrow()
  }

  /** `from`: only as long as it has that status. */
  async #update(patch: Partial<BatchRow>, from?: BatchRow['status']): Promise<void> {
    await this.#options.db
      .updateTable('batches')
      .set(patch)
      .where('id', '=', this.#id)
      .$if(from !== undefined, (query) => query.where('status', '=', from ?? 'failed'))
      .execute()
  }
}

const EXPIRED = new AppError('deadline', 'The completion window of the batch is over.')

/** So that several can take from it, and none of them ends it for the others. */
const shared = <T>(source: AsyncGenerator<T>): AsyncIterable<T> => ({
  [Symbol.asyncIterator]: () => ({ next: () => source.next() }),
})
