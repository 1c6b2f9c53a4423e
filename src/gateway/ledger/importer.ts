// The journal into the table, in the order of its lines. How far it came is written in the same transaction as the rows,
// so that every line takes effect once, whenever this or anything else dies. A file is removed when a later one is
// there (then nothing is added to it any more) and all of it is in the database.
import { appendFileSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Db } from '../../db/connect.ts'
import type { GatewayTables } from '../tables.ts'
import { MAX_LINE_BYTES, readLine, readValues } from './line.ts'
import { SegmentReader } from './segment-reader.ts'
import { listSegments, type Segment } from './segments.ts'
import { upsertRows } from './upsert.ts'

/** What an import has to tell. */
export type ImportNews =
  /** All lines before this number are in the database. */
  | { readonly kind: 'imported'; readonly lines: number }
  /** Requests that were under way when an earlier process died. */
  | { readonly kind: 'marked'; readonly count: number }
  /** Lines that were cut or damaged: they say nothing. */
  | { readonly kind: 'damaged'; readonly count: number; readonly segment: string }
  /** A row that the database will never take; its line is kept in the file `rejected`. */
  | { readonly kind: 'rejected'; readonly id: string; readonly why: string }

export interface ImporterOptions {
  readonly folder: string
  /** With `gatewayMigrations` applied. */
  readonly db: Db<GatewayTables>
  readonly tell: (news: ImportNews) => void
}

/** A transaction keeps every other writer out, so it is short: some milliseconds. */
const LINES_A_TRANSACTION = 512

interface Position {
  readonly segment: Segment
  readonly reader: SegmentReader
  bytes: number
  lines: number
}

export class Importer {
  readonly #options: ImporterOptions
  readonly #block = Buffer.allocUnsafeSlow(2 * MAX_LINE_BYTES)
  #position: Position | undefined
  #tidied = false

  constructor(options: ImporterOptions) {
    this.#options = options
  }

  /**
   * Imports what is in the journal. `closed`: nobody writes to it any more. Throws what the database throws; nothing is lost
   * then, and the next pass goes on where this one failed.
   */
  async pass(closed: boolean): Promise<void> {
    try {
      if (!this.#tidied) await this.#forgetRemoved()
      for (;;) {
        // First the list, then the file: if a later file was there before, all of this one is written.
        const [segment, later] = listSegments(this.#options.folder)
        if (!segment) return
        const whole = closed || later !== undefined
        await this.#importSegment(segment, whole)
        if (!whole) return
        await this.#finish(segment)
      }
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Lets go of its file; the next pass asks the database how far it came. */
  close(): void {
    this.#position?.reader.close()
    this.#position = undefined
  }

  async #importSegment(segment: Segment, whole: boolean): Promise<void> {
    const position = await this.#positionIn(segment)
    for (;;) {
      const { lines, toBytes } = position.reader.read(position.bytes, LINES_A_TRANSACTION, whole)
      if (lines.length === 0) return
      await this.#importLines(position, lines, toBytes)
    }
  }

  async #positionIn(segment: Segment): Promise<Position> {
    if (this.#position?.segment.name === segment.name) return this.#position
    this.close()
    const { db } = this.#options
    const known = await db
      .selectFrom('ledger_journal')
      .selectAll()
      .where('segment', '=', segment.name)
      .executeTakeFirst()
    this.#position = {
      segment,
      reader: new SegmentReader(segment.path, this.#block),
      bytes: known?.bytes ?? 0,
      lines: known?.lines ?? 0,
    }
    return this.#position
  }

  async #importLines(position: Position, lines: readonly Buffer[], toBytes: number): Promise<void> {
    const { db, tell } = this.#options
    const news: ImportNews[] = []
    const { segment } = position
    await db.transaction().execute(async (trx) => {
      news.length = 0
      const latest = new Map<string, string>()
      let damaged = 0
      for (const bytes of lines) {
        const line = readLine(bytes)
        switch (line.kind) {
          case 'damaged':
            if (bytes.length > 0) damaged++
            break
          case 'start': {
            await this.#write(trx, latest, news)
            latest.clear()
            const count = await markUnderWay(trx)
            if (count > 0) news.push({ kind: 'marked', count })
            break
          }
          case 'open':
          case 'settle':
            // The last line of a row is all of it.
            latest.set(line.id, line.text)
        }
      }
      await this.#write(trx, latest, news)
      if (damaged > 0) news.push({ kind: 'damaged', count: damaged, segment: segment.name })
      const at = { bytes: toBytes, lines: position.lines + lines.length }
      await trx
        .insertInto('ledger_journal')
        .values({ segment: segment.name, ...at })
        .onConflict((conflict) => conflict.column('segment').doUpdateSet(at))
        .execute()
    })
    position.bytes = toBytes
    position.lines += lines.length
    for (const one of news) tell(one)
    tell({ kind: 'imported', lines: segment.base + position.lines })
  }

  async #write(trx: Db<GatewayTables>, latest: ReadonlyMap<string, string>, news: ImportNews[]): Promise<void> {
    const rows: (readonly unknown[])[] = []
    for (const [id, text] of latest) {
      try {
        rows.push(readValues(id, text))
      } catch (error) {
        this.#reject(id, text, error, news)
      }
    }
    if (rows.length === 0) return
    try {
      await upsertRows(trx, rows)
    } catch (error) {
      if (!isRowsFault(error)) throw error
      // One of them is at fault. It must not keep the others, and all that come after, out for ever.
      for (const row of rows) {
        try {
          await upsertRows(trx, [row])
        } catch (error) {
          if (!isRowsFault(error)) throw error
          const id = String(row[0])
          this.#reject(id, latest.get(id) ?? '', error, news)
        }
      }
    }
  }

  #reject(id: string, text: string, error: unknown, news: ImportNews[]): void {
    appendFileSync(join(this.#options.folder, 'rejected'), `${id} ${text}\n`, { mode: 0o600 })
    news.push({ kind: 'rejected', id, why: error instanceof Error ? error.message : String(error) })
  }

  /** Positions in files that went just before a crash. */
  async #forgetRemoved(): Promise<void> {
    const { db, folder } = this.#options
    const there = new Set(listSegments(folder).map(({ name }) => name))
    for (const { segment } of await db.selectFrom('ledger_journal').select('segment').execute()) {
      if (!there.has(segment)) await db.deleteFrom('ledger_journal').where('segment', '=', segment).execute()
    }
    this.#tidied = true
  }

  /** The commits before are on the platter: only now may the file go. Its position goes last, or it would be imported again. */
  async #finish(segment: Segment): Promise<void> {
    this.close()
    unlinkSync(segment.path)
    await this.#options.db.deleteFrom('ledger_journal').where('segment', '=', segment.name).execute()
  }
}

async function markUnderWay(trx: Db<GatewayTables>): Promise<number> {
  const marked = await trx
    .updateTable('ledger')
    .set({ outcome: 'failed', status: 500, usage_source: 'unknown', error_code: 'unknown' })
    .where('outcome', 'is', null)
    .executeTakeFirst()
  return Number(marked.numUpdatedRows)
}

/** SQLite's codes for what will be refused again: constraint, mismatch, too big. */
const ROWS_FAULT = new Set([19, 20, 18])

const isRowsFault = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  ROWS_FAULT.has(error.errcode & 0xff)
