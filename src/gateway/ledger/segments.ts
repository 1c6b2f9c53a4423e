// The files of the journal. A name is the number of lines that were written before it, and eight characters of chance: so
// names sort in the order of writing, and a file of another installation is never taken for one that is known.
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

export interface Segment {
  readonly name: string
  readonly path: string
  /** Lines of the journal before this file. */
  readonly base: number
}

const NAME = /^(\d{16})-[0-9a-f]{8}\.journal$/

/** Oldest first. */
export function listSegments(folder: string): Segment[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const base = NAME.exec(name)?.[1]
      return base === undefined ? [] : [{ name, path: join(folder, name), base: Number(base) }]
    })
    .sort((a, b) => a.base - b.base)
}

export function nameSegment(folder: string, base: number): Segment {
  const name = `${String(base).padStart(16, '0')}-${randomBytes(4).toString('hex')}.journal`
  return { name, path: join(folder, name), base }
}

/** Where the next run's numbers begin: behind everything that is there. */
export function nextBase(folder: string): number {
  const last = listSegments(folder).at(-1)
  return last ? last.base + Math.max(1, countLines(last.path)) : 0
}

const NEWLINE = 0x0a

/** A torn last line counts as one. */
function countLines(path: string): number {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.allocUnsafe(1 << 16)
    let lines = 0
    let last = NEWLINE
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer)) {
      const bytes = buffer.subarray(0, read)
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++
      last = bytes[read - 1] ?? last
    }
    return last === NEWLINE ? lines : lines + 1
  } finally {
    closeSync(file)
  }
}
