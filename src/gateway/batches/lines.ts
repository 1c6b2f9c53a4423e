// The lines of a file as bytes, one after the other, however large the file is.
import type { ReadStream } from 'node:fs'

export interface Line {
  /** Counts from 1. */
  readonly number: number
  /** Without its end. A line longer than the limit has none. */
  readonly bytes: Buffer | 'too long'
  /** Where the next line begins. */
  readonly endsAt: number
  /** The file has an end of line behind it. */
  readonly whole: boolean
}

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

export async function* linesOf(source: ReadStream, maxBytes: number): AsyncGenerator<Line> {
  let number = 0
  let at = 0
  let held: Buffer[] = []
  let size = 0
  const take = (rest: Buffer): void => {
    size += rest.length
    if (size <= maxBytes) held.push(rest)
  }
  const line = (whole: boolean): Line => {
    const bytes =
      size > maxBytes ? 'too long' : withoutReturn(held.length === 1 && held[0] ? held[0] : Buffer.concat(held))
    at += size + (whole ? 1 : 0)
    held = []
    size = 0
    return { number: ++number, bytes, endsAt: at, whole }
  }
  for await (const chunk of source as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, end))
      from = end + 1
      yield line(true)
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
  if (size > 0) yield line(false)
}

const withoutReturn = (bytes: Buffer): Buffer =>
  bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, bytes.length - 1) : bytes

export const isBlank = (bytes: Buffer): boolean => {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== CARRIAGE_RETURN) return false
  return true
}
