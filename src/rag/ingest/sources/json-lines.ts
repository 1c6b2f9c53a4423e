// A file of documents, one a line: {"id", "text", "title"?, "metadata"?}. Read as a stream, so that a file of any length
// takes little memory. A line that is wrong is told with its number and passed over; as it may have been any document,
// nothing counts as deleted then.
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { z } from 'zod'
import { AppError } from '../../../core/errors.ts'
import { MAX_DOCUMENT_BYTES, type Source, type SourceItem } from '../source.ts'
import { reasonOf, tooLarge } from './read-file.ts'

const line = z.object({
  id: z.union([z.string().min(1).max(1024), z.number().transform(String)]),
  title: z.string().optional(),
  text: z.string(),
  metadata: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
})

export const isJsonLines = (path: string): boolean => /\.(?:jsonl|ndjson|jsonlines)$/i.test(path)

export function createJsonLinesSource(path: string): Source {
  return {
    place: `lines:${path}`,
    list: async (signal) => {
      const real = await realpath(path).catch((error: unknown) => {
        throw new AppError('not_found', `${path} cannot be read: ${reasonOf(error)}.`, { cause: error })
      })
      if (!(await stat(real)).isFile()) throw new AppError('malformed', `${path} is no file.`)
      return { total: await countLines(real, signal), items: readItems(real, path, signal) }
    },
  }
}

async function* readItems(real: string, path: string, signal: AbortSignal): AsyncGenerator<SourceItem> {
  for await (const { number, bytes } of linesOf(real, signal)) {
    const parsed = bytes === null ? { reason: tooLarge(MAX_DOCUMENT_BYTES + 1).message } : parseLine(bytes)
    if (parsed === 'blank') continue
    if (!('reason' in parsed)) yield itemOf(parsed)
    else {
      const where = `line ${number}`
      yield { kind: 'bad', id: parsed.id ?? where, reason: parsed.reason }
      if (parsed.id === undefined) yield { kind: 'gap', reason: `${where} may have been any document` }
    }
  }
}

function itemOf({ id, title, text, metadata }: z.output<typeof line>): SourceItem {
  const bytes = Buffer.from(text)
  const document = {
    id,
    source: null,
    bytes,
    mediaType: 'text/plain',
    metadata,
    ...(title === undefined ? {} : { title }),
  }
  return { kind: 'document', id, sizeBytes: bytes.length, read: async () => ({ kind: 'read', document }) }
}

type Parsed = z.output<typeof line> | { readonly reason: string; readonly id?: string } | 'blank'

const SHAPE = 'A line has to be {"id", "text", "title"?, "metadata"?}.'

function parseLine(bytes: Buffer): Parsed {
  const text = bytes
    .toString()
    .replace(/^\uFEFF/, '')
    .trim()
  if (text === '') return 'blank'
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { reason: `It is no JSON. ${SHAPE}` }
  }
  const read = line.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const reason = `${issue?.path.join('.') || 'The line'}: ${issue?.message ?? 'wrong'}. ${SHAPE}`
  const id = line.pick({ id: true }).safeParse(value)
  return id.success ? { reason, id: id.data.id } : { reason }
}

interface Line {
  readonly number: number
  /** null: longer than a document may be. */
  readonly bytes: Buffer | null
}

/** Cut by hand, for a line without an end must not fill the memory. */
async function* linesOf(file: string, signal: AbortSignal): AsyncGenerator<Line> {
  let parts: Buffer[] = []
  let size = 0
  let number = 0
  const take = (): Line => {
    const whole = size > MAX_DOCUMENT_BYTES ? null : Buffer.concat(parts)
    parts = []
    size = 0
    return { number: ++number, bytes: whole }
  }
  const keep = (part: Buffer): void => {
    size += part.length
    if (size > MAX_DOCUMENT_BYTES) parts = []
    else parts.push(part)
  }
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      keep(chunk.subarray(from, at))
      yield take()
      from = at + 1
    }
    if (from < chunk.length) keep(chunk.subarray(from))
  }
  if (size > 0) yield take()
}

async function countLines(file: string, signal: AbortSignal): Promise<number> {
  let count = 0
  let last = 0x0a
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) count++
    last = chunk.at(-1) ?? last
  }
  return last === 0x0a ? count : count + 1
}
