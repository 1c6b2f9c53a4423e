// The journal: lines appended to files in one folder. When `append` returns, the system has the lines, so that not even
// `kill -9` loses them. What a full disk cut in the middle is cut off again, so that the next line begins a line.
import { closeSync, ftruncateSync, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { frameLine, startLine } from './line.ts'
import { nameSegment, nextBase, type Segment } from './segments.ts'
import { Syncer } from './syncer.ts'

export interface JournalOptions {
  readonly folder: string
  /** A file that is larger is followed by a new one. */
  readonly segmentBytes: number
  readonly onSyncFailure: (error: unknown) => void
}

interface OpenSegment extends Segment {
  readonly file: number
  bytes: number
}

export class Journal {
  readonly #options: JournalOptions
  readonly #syncer: Syncer
  readonly #folderFile: number
  #segment: OpenSegment | undefined
  #lines: number
  #started = false
  #closed = false

  /** Makes the folder. Files of earlier runs are left as they are: this run begins its own. Throws what the system throws. */
  constructor(options: JournalOptions) {
    this.#options = options
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    this.#lines = nextBase(options.folder)
    this.#folderFile = openSync(options.folder, 'r')
    this.#syncer = new Syncer(options.onSyncFailure)
  }

  /** The number of the next line. An importer that has come to it has everything. */
  get lines(): number {
    return this.#lines
  }

  /** One line of that content. Throws what the system throws; then nothing of it is in the journal. */
  append(content: string): void {
    const segment = this.#writable()
    this.#write(segment, content)
    this.#syncer.wrote(segment.file)
  }

  /** Begins the first file, if nothing was written yet. */
  begin(): void {
    this.#writable()
  }

  /** Resolves when all that was appended by now is flushed to the platter. */
  synced(): Promise<void> {
    return this.#syncer.synced()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#segment) this.#syncer.retire(this.#segment.file)
    this.#segment = undefined
    await this.#syncer.stop()
    closeSync(this.#folderFile)
  }

  #writable(): OpenSegment {
    if (this.#closed) throw new Error('the journal is closed')
    if (this.#segment && this.#segment.bytes < this.#options.segmentBytes) return this.#segment
    const named = nameSegment(this.#options.folder, this.#lines)
    const next: OpenSegment = { ...named, file: openSync(named.path, 'ax', 0o600), bytes: 0 }
    if (!this.#started) {
      try {
        this.#write(next, startLine())
        this.#started = true
      } catch (error) {
        closeSync(next.file)
        unlinkSync(next.path)
        throw error
      }
    }
    if (this.#segment) this.#syncer.retire(this.#segment.file)
    this.#syncer.wroteFolder(this.#folderFile)
    this.#segment = next
    return next
  }

  #write(segment: OpenSegment, content: string): void {
    const bytes = frameLine(content)
    try {
      let written = writeSync(segment.file, bytes)
      while (written < bytes.length) written += writeSync(segment.file, bytes, written)
      segment.bytes += bytes.length
      this.#lines++
    } catch (error) {
      this.#cutBack(segment)
      throw error
    }
  }

  /** The importer takes whole lines only, so it has not seen what is cut off here. */
  #cutBack(segment: OpenSegment): void {
    try {
      ftruncateSync(segment.file, segment.bytes)
    } catch {
      // The torn line stays the last of its file, where it is recognised; what comes next goes into a new one.
      if (this.#segment !== segment) return
      this.#syncer.retire(segment.file)
      this.#segment = undefined
      this.#lines++
    }
  }
}
