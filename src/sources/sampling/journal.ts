// What the scraper saw, kept on disk so that a restart in the middle of an incident does not blind the diagnosis.
// Files of a few minutes each, every one readable and deletable alone; a start begins a new one, so a torn tail is
// never written behind. Nothing is synced: losing the last second in a crash is fine, waiting for a disk is not.
import { createReadStream } from 'node:fs'
import { appendFile, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describeError } from '../../core/errors.ts'
import type { SourceLog } from '../log.ts'
import type { Family } from './sample.ts'
import { JournalDecoder, JournalEncoder, type JournalEntry, type JournalRow } from './journal-format.ts'

export interface JournalOptions {
  readonly folder: string
  readonly retentionMs: number
  readonly log: SourceLog
}

interface JournalFile {
  readonly startMs: number
  readonly path: string
  readonly encoder: JournalEncoder
}

const FILE = /^scrape-(\d{1,16})\.jsonl$/
/** Past this, rows are dropped rather than held: a slow disk must not cost the memory. */
const MAX_PENDING_CHARS = 16 * 1024 * 1024

export class Journal {
  readonly #options: JournalOptions
  readonly #periodMs: number
  #current: JournalFile | undefined
  #lastStartMs = 0
  #writing: Promise<void> = Promise.resolve()
  #pendingChars = 0
  #failing = false

  constructor(options: JournalOptions) {
    this.#options = options
    this.#periodMs = Math.min(10 * 60_000, Math.max(60_000, options.retentionMs / 12))
  }

  /** Hands everything readable within retention to the reader, oldest file first, and deletes what is older. */
  async load(read: (entry: JournalEntry) => void, nowMs: number): Promise<void> {
    const { folder, log } = this.#options
    try {
      await mkdir(folder, { recursive: true })
      await this.#deleteOld(nowMs)
      for (const { name, startMs } of await listFiles(folder)) {
        this.#lastStartMs = Math.max(this.#lastStartMs, startMs)
        const decoder = new JournalDecoder()
        const lines = createInterface({
          input: createReadStream(join(folder, name)),
          crlfDelay: Number.POSITIVE_INFINITY,
        })
        for await (const line of lines) read(decoder.decode(line))
      }
    } catch (error) {
      log.warn({ folder, reason: describeError(error) }, 'earlier samples cannot be read')
    }
  }

  /** Writes a row down soon. Failures are logged once and end with the first write that works again. */
  add(row: JournalRow, families: readonly Family[]): void {
    if (this.#pendingChars > MAX_PENDING_CHARS) {
      // The file has a gap from here on that its encoder does not know of.
      this.#current = undefined
      return
    }
    const file = this.#fileFor(row.atMs)
    const text = file.encoder.encode(row, families)
    this.#pendingChars += text.length
    this.#writing = this.#append(this.#writing, file, text)
  }

  /** Resolves when everything that was added is with the operating system. */
  async close(): Promise<void> {
    await this.#writing
  }

  async #append(before: Promise<void>, file: JournalFile, text: string): Promise<void> {
    await before
    try {
      await appendFile(file.path, text)
      this.#failing = false
    } catch (error) {
      // What this file's encoder has named may not be in it: begin another.
      if (this.#current === file) this.#current = undefined
      this.#tellOnce(error)
    } finally {
      this.#pendingChars -= text.length
    }
  }

  #fileFor(atMs: number): JournalFile {
    const { folder } = this.#options
    if (this.#current && atMs < this.#current.startMs + this.#periodMs) return this.#current
    const startMs = Math.max(atMs, this.#lastStartMs + 1)
    this.#lastStartMs = startMs
    this.#current = { startMs, path: join(folder, `scrape-${startMs}.jsonl`), encoder: new JournalEncoder() }
    this.#writing = this.#writing
      .then(() => this.#deleteOld(atMs))
      .catch((error: unknown) => {
        this.#tellOnce(error)
      })
    return this.#current
  }

  #tellOnce(error: unknown): void {
    const { folder, log } = this.#options
    if (!this.#failing) log.warn({ folder, reason: describeError(error) }, 'recent samples cannot be kept on disk')
    this.#failing = true
  }

  async #deleteOld(nowMs: number): Promise<void> {
    const { folder, retentionMs } = this.#options
    for (const { name, startMs } of await listFiles(folder)) {
      if (startMs + this.#periodMs < nowMs - retentionMs) await rm(join(folder, name), { force: true })
    }
  }
}

async function listFiles(folder: string): Promise<{ name: string; startMs: number }[]> {
  const names = await readdir(folder)
  return names
    .flatMap((name) => {
      const startMs = FILE.exec(name)?.[1]
      return startMs === undefined ? [] : [{ name, startMs: Number(startMs) }]
    })
    .sort((a, b) => a.startMs - b.startMs)
}
