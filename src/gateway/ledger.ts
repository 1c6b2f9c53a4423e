// Writes ledger rows durably and in groups: all rows that come up in one turn of the event loop share one commit, for a
// commit costs a disk flush whatever is in it. A row is written whole each time (insert, or replace what stands), so a
// write may be repeated, and a row that a restart marked too early is put right by its true end.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { CompiledQuery } from 'kysely'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Db } from '../db/connect.ts'
import type { Log } from '../observe/log.ts'
import type { GatewayTables, LedgerRow } from './tables.ts'

export interface Ledger {
  /** Marks what a crash left under way as failed. Call once, before the first request. */
  recover(): Promise<number>
  /** Resolves when the row is on the disk. Throws `unavailable`: then no provider may be asked. */
  open(row: LedgerRow): Promise<void>
  /** Resolves when the row is on the disk, or (unless it was refused) is kept until the database can take it. */
  settle(row: LedgerRow): Promise<void>
  /** Writes what is left. */
  stop(): Promise<void>
}

interface LedgerOptions {
  readonly db: Db<GatewayTables>
  readonly clock: Clock
  readonly log: Log
}

interface Write {
  readonly row: LedgerRow
  readonly done: (failure: unknown) => void
}

const GROUP = 50
const RETRY_MS = 1_000

export function createLedger({ db, clock, log }: LedgerOptions): Ledger {
  const upsert = createUpsert(db)
  const stopping = new AbortController()
  let queue: Write[] = []
  /** Ends that could not be written: the newest state of each row. */
  const owed = new Map<string, LedgerRow>()
  let writer: Promise<void> | undefined
  let debtor: Promise<void> | undefined

  const writeGroups = async (): Promise<void> => {
    while (queue.length > 0) {
      await nextTurn()
      const group = queue.slice(0, GROUP)
      queue = queue.slice(GROUP)
      let failure: unknown
      try {
        await upsert(group.map(({ row }) => row))
      } catch (error) {
        failure = error ?? new Error('unknown failure')
      }
      for (const { done } of group) done(failure)
    }
    // In the same step as the last look at the queue: whoever writes next has to find no writer, and start one.
    writer = undefined
  }

  /** Resolves to undefined, or to what the database threw. */
  const write = (row: LedgerRow): Promise<unknown> =>
    new Promise((done) => {
      queue.push({ row, done })
      writer ??= writeGroups()
    })

  const payDebts = async (): Promise<void> => {
    while (owed.size > 0) {
      await clock.sleep(RETRY_MS, stopping.signal).catch(() => undefined)
      let failure: unknown
      while (owed.size > 0 && failure === undefined) {
        const group = [...owed.values()].slice(0, GROUP)
        failure = (await Promise.all(group.map(write))).find((one) => one !== undefined)
        if (failure === undefined) for (const { id } of group) owed.delete(id)
      }
      if (stopping.signal.aborted) break
    }
    debtor = undefined
  }

  return {
    recover: async () => {
      const marked = await db
        .updateTable('ledger')
        .set({ outcome: 'failed', status: 500, usage_source: 'unknown', error_code: 'unknown' })
        .where('outcome', 'is', null)
        .executeTakeFirst()
      const count = Number(marked.numUpdatedRows)
      if (count > 0) log.warn({ count }, 'requests were under way when Midwatch ended; their cost is unknown')
      return count
    },
    open: async (row) => {
      const failure = await write(row)
      if (failure === undefined) return
      log.error({ err: failure, requestId: row.request_id }, 'the ledger cannot be written; no provider is asked')
      throw new AppError('unavailable', 'Midwatch cannot record the request right now, so it was not sent.', {
        cause: failure,
      })
    },
    settle: async (row) => {
      const failure = await write(row)
      if (failure === undefined) return
      log.error({ err: failure, requestId: row.request_id }, 'the end of a request could not be recorded yet')
      // No provider heard of it, and of these a long outage brings without number.
      if (row.outcome === 'refused') return
      owed.set(row.id, row)
      debtor ??= payDebts()
    },
    stop: async () => {
      stopping.abort()
      await debtor
      await writer
      if (owed.size > 0) log.error({ count: owed.size }, 'ends of requests were not recorded; a start will mark them')
    },
  }
}

/** One statement for any number of rows; its text is made once for each number. */
function createUpsert(db: Db<GatewayTables>): (rows: readonly LedgerRow[]) => Promise<void> {
  const texts = new Map<number, string>()
  return async (rows) => {
    let text = texts.get(rows.length)
    if (text === undefined) {
      text = upsertText(db, rows)
      texts.set(rows.length, text)
    }
    const parameters = rows.flatMap((row) => COLUMNS.map((column) => row[column]))
    await db.executeQuery(CompiledQuery.raw(text, parameters))
  }
}

function upsertText(db: Db<GatewayTables>, rows: readonly LedgerRow[]): string {
  // Every row binds every column, in this order; so the text fits any rows of that number.
  const values = rows.map((row) => Object.fromEntries(COLUMNS.map((column) => [column, row[column]])) as never)
  return db
    .insertInto('ledger')
    .values(values)
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((eb) => Object.fromEntries(CHANGING.map((column) => [column, eb.ref(`excluded.${column}`)]))),
    )
    .compile().sql
}

const CHANGING = [
  'provider',
  'provider_model',
  'status',
  'outcome',
  'attempts',
  'input_tokens',
  'cached_tokens',
  'output_tokens',
  'reasoning_tokens',
  'usage_source',
  'cost_micro_usd',
  'duration_ms',
  'ttft_ms',
  'error_code',
  'charged_micro_usd',
] as const satisfies readonly (keyof LedgerRow)[]

const COLUMNS = [
  'id',
  'tenant',
  'key_id',
  'request_id',
  'at',
  'model',
  'endpoint',
  'purpose',
  'team',
  'user_hash',
  ...CHANGING,
] as const satisfies readonly (keyof LedgerRow)[]
