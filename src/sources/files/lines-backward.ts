// Lines of a file from a point backwards, in blocks, so that the newest lines of a huge file cost what they are and
// not what the file is. Memory is bounded: of a line longer than the limit only the beginning is kept.
import type { FileHandle } from 'node:fs/promises'

export interface RawLine {
  readonly offset: number
  /** Without its line break, at most MAX_LINE_BYTES. */
  readonly bytes: Buffer
  /** False for the end of a file that has no line break yet. */
  readonly ended: boolean
}

export interface Block {
  /** Where it begins in the file. */
  readonly from: number
  /** In order of the file; none where a long line runs through the whole block. */
  readonly lines: readonly RawLine[]
}

export const MAX_LINE_BYTES = 256 * 1024
const BLOCK_BYTES = 256 * 1024
const NEWLINE = 10

/** Blocks of lines that begin before `end`, the last block first. */
export async function* linesBackward(file: FileHandle, end: number): AsyncGenerator<Block> {
  // The beginning of a line whose start is in a block still to be read.
  let tail = Buffer.alloc(0)
  let tailEnded = false
  for (let to = end; to > 0;) {
    const from = Math.max(0, to - BLOCK_BYTES)
    const block = await readAt(file, from, to - from)
    // Shorter than it was a moment ago: truncated. What is left of it is still true.
    if (block.length < to - from) [tail, tailEnded] = [Buffer.alloc(0), false]
    const lines: RawLine[] = []
    let lineEnd = block.length
    for (let at = block.lastIndexOf(NEWLINE); at !== -1; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      push(lines, from + at + 1, block.subarray(at + 1, lineEnd), tail, tailEnded)
      tail = Buffer.alloc(0)
      tailEnded = true
      lineEnd = at
    }
    const rest = block.subarray(0, lineEnd)
    if (from === 0) push(lines, 0, rest, tail, tailEnded)
    else tail = join(rest, tail)
    yield { from, lines: lines.reverse() }
    to = from
  }
}

function push(into: RawLine[], offset: number, head: Buffer, tail: Buffer, ended: boolean): void {
  const bytes = tail.length === 0 ? head : join(head, tail)
  if (bytes.length > 0) into.push({ offset, bytes, ended })
}

const join = (head: Buffer, tail: Buffer): Buffer<ArrayBuffer> =>
  Buffer.concat([head, tail].map((part) => part.subarray(0, MAX_LINE_BYTES))).subarray(0, MAX_LINE_BYTES)

/** As many of the bytes as there are. */
export async function readAt(file: FileHandle, offset: number, length: number): Promise<Buffer<ArrayBuffer>> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}
