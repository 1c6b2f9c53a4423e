// Whole lines out of a file of the journal, from a position on, in blocks: memory is bounded however large the file is.
import { closeSync, openSync, readSync } from 'node:fs'

const NEWLINE = 0x0a

export interface LinesRead {
  /** Without their line breaks; valid until the next read. */
  readonly lines: readonly Buffer[]
  /** The position behind them. */
  readonly toBytes: number
}

export class SegmentReader {
  readonly #file: number
  readonly #block: Buffer
  /** What of the file is in the block. */
  #fromBytes = 0
  #length = 0

  /** The block has to be larger than any line. */
  constructor(path: string, block: Buffer) {
    this.#file = openSync(path, 'r')
    this.#block = block
  }

  /** At most `limit` lines from this position on. `closed`: nothing more comes, so what has no line break is a line too. */
  read(fromBytes: number, limit: number, closed: boolean): LinesRead {
    const known = this.#linesFrom(fromBytes, limit)
    if (known.lines.length > 0) return known
    this.#fromBytes = fromBytes
    this.#length = readSync(this.#file, this.#block, 0, this.#block.length, fromBytes)
    const read = this.#linesFrom(fromBytes, limit)
    if (read.lines.length > 0 || this.#length === 0) return read
    // A block without any line break is no line of ours; it is passed over as one that is damaged.
    if (!closed && this.#length < this.#block.length) return read
    return { lines: [this.#block.subarray(0, this.#length)], toBytes: fromBytes + this.#length }
  }

  close(): void {
    closeSync(this.#file)
  }

  #linesFrom(fromBytes: number, limit: number): LinesRead {
    const bytes = this.#block.subarray(0, this.#length)
    const lines: Buffer[] = []
    let at = fromBytes - this.#fromBytes
    while (lines.length < limit && at < bytes.length) {
      const end = bytes.indexOf(NEWLINE, at)
      if (end < 0) break
      lines.push(bytes.subarray(at, end))
      at = end + 1
    }
    return { lines, toBytes: this.#fromBytes + at }
  }
}
