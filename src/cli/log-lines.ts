// The lines of a log file as they come, packed with gzip or not: what is a JSON object is read for its message. Memory does not
// grow with the file, nor with its longest line: of one that is too long only the beginning is read, and what comes with its end.
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
import { createGunzip } from 'node:zlib'
import { AppError } from '../core/errors.ts'

const MAX_LINE_CHARS = 64 * 1024
/** Where the message of a line in JSON stands, the first that is there. */
const MESSAGE_FIELDS = ['message', 'msg', 'log', 'body', 'text']

/** Every line, empty ones too. Throws AppError `not_found` when the input cannot be read. */
export async function* readLogLines(input: Readable): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let first = true
  try {
    for await (const chunk of await unpacked(input)) {
      let text = rest + decoder.write(chunk)
      if (first && text !== '') {
        if (text.startsWith('\uFEFF')) text = text.slice(1)
        first = false
      }
      let from = 0
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
        yield messageOf(text.slice(from, text.charAt(end - 1) === '\r' ? end - 1 : end))
        from = end + 1
      }
      rest = text.slice(from, from + MAX_LINE_CHARS)
    }
  } catch (error) {
    throw new AppError('not_found', `The log cannot be read: ${(error as Error).message}.`, { cause: error })
  }
  if (rest !== '') yield messageOf(rest)
}

/** Looks at the first two bytes: those of gzip need no flag. */
async function unpacked(input: Readable): Promise<AsyncIterable<Buffer>> {
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  let head = Buffer.alloc(0)
  while (head.length < 2) {
    const { done, value } = await chunks.next()
    if (done) break
    head = Buffer.concat([head, value])
  }
  const all = async function* (): AsyncGenerator<Buffer> {
    yield head
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
  }
  return head[0] === 0x1f && head[1] === 0x8b ? gunzip(all()) : all()
}

function gunzip(packed: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const out = createGunzip()
  // A failure of either side ends the other; it is thrown where the lines are read, so here nothing is done about it.
  pipeline(packed, out).catch(() => undefined)
  return out
}

function messageOf(line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const parsed = JSON.parse(line) as Record<string, unknown>
    for (const field of MESSAGE_FIELDS) {
      const value = parsed[field]
      if (typeof value === 'string') return value
    }
  } catch {
    // A line that only looks like JSON is a line.
  }
  return line
}
