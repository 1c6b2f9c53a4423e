// Finds by bisection where in a file, sorted by time but for a little, the lines after a moment begin: some twenty
// small reads for a file of any size.
import type { FileHandle } from 'node:fs/promises'
import { readAt } from './lines-backward.ts'

/** The time of a line, if it tells one. */
export type TimeOf = (bytes: Buffer) => number | undefined

const PROBE_BYTES = 64 * 1024
const NEWLINE = 10

/** The start of a line, or the size, such that lines from there on are later than `atMs`, as far as the file is sorted. */
export async function findEnd(file: FileHandle, size: number, atMs: number, timeOf: TimeOf): Promise<number> {
  let low = 0
  let high = size
  // Lowered only by a line that was seen to be later: a stretch that tells no times belongs to what is before it.
  let end = size
  // Most questions are about now: look near the end first.
  let middle = Math.max(0, size - PROBE_BYTES)
  while (high - low > PROBE_BYTES) {
    const found = await firstTimed(file, middle, Math.min(high, middle + MAX_SEARCH_BYTES), timeOf)
    if (found !== undefined && found.at <= atMs) low = found.offset + 1
    else high = middle
    if (found !== undefined && found.at > atMs) end = found.offset
    middle = Math.floor((low + high) / 2)
  }
  return end
}

/** How far a probe looks for a time. */
const MAX_SEARCH_BYTES = 1024 * 1024
/** How many lines a probe looks at: one with a wrong clock must not lead the search astray. */
const LINES_PER_PROBE = 3

/** The first line with a time that begins after `from` and before `until`, and the earliest time of the next few. */
async function firstTimed(file: FileHandle, from: number, until: number, timeOf: TimeOf) {
  for (let position = from; position < until;) {
    const block = await readAt(file, position, PROBE_BYTES)
    if (block.length === 0) return undefined
    let start = position === 0 ? 0 : block.indexOf(NEWLINE) + 1
    if (start === 0 && position > 0) {
      position += block.length
      continue
    }
    const first = start
    let found: { offset: number; at: number; lines: number } | undefined
    for (let end = block.indexOf(NEWLINE, start); end !== -1; end = block.indexOf(NEWLINE, start)) {
      if (position + start >= until) return found
      const at = timeOf(block.subarray(start, end))
      if (at !== undefined) {
        found = found
          ? { ...found, at: Math.min(found.at, at), lines: found.lines + 1 }
          : { offset: position + start, at, lines: 1 }
        if (found.lines === LINES_PER_PROBE) return found
      }
      start = end + 1
    }
    if (found) return found
    // A line that fills the rest of the block: by its beginning, if that is enough.
    if (start === first || block.length < PROBE_BYTES) {
      const at = position + start < until ? timeOf(block.subarray(start)) : undefined
      if (at !== undefined) return { offset: position + start, at }
      position += block.length
    } else position += start - 1
  }
  return undefined
}
