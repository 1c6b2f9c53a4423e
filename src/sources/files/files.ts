// A LogSource over files of JSON lines: it finds a window of time by bisection, reads it backwards, and keeps the newest
// lines, so that neither the size of a file nor that of a line costs memory. Lines may be out of order by half a
// minute. A line without a time has the time of the one before it; before any time there is no saying when it was,
// and it is left out.
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { LogLine, LogQuery, LogSource } from '../../core/telemetry.ts'
import { type LogFile, listLogFiles, reasonOf } from './folder.ts'
import { isAtLeast } from '../../core/log-level.ts'
import { type LogFields, type ParsedLine, parseLine } from '../log-line.ts'
import { linesBackward, MAX_LINE_BYTES, type RawLine, readAt } from './lines-backward.ts'
import { Newest } from './newest.ts'
import { hashLine, parseRef, printRef } from './ref.ts'
import { findEnd } from './window-end.ts'

export interface FileLogOptions {
  /** Files, or folders whose logs are read with all folders inside. */
  readonly paths: readonly string[]
  readonly fields: LogFields
}

/** How far lines of one file may be out of order. */
const DISORDER_MS = 30_000
/** After so much text without a time nobody looks further back for one. */
const MAX_UNTIMED_BYTES = 4 * 1024 * 1024
const NEWLINE = 10

export function createFileLogSource(options: FileLogOptions): LogSource {
  const { paths, fields } = options
  const parse = (bytes: Buffer) => parseLine(textOf(bytes), fields)

  /** Adds the lines of one file to the newest. Returns what went wrong, in words. */
  const readWindow = async (
    file: LogFile,
    handle: FileHandle,
    query: LogQuery,
    into: Newest<LogLine>,
    signal: AbortSignal,
  ) => {
    const { size } = await handle.stat()
    const end = await findEnd(handle, size, query.toMs + DISORDER_MS, (bytes) => parse(bytes).at)
    const place = (raw: RawLine, line: ParsedLine, at: number) => {
      const service = line.service ?? serviceOf(file)
      if (at < query.fromMs || at > query.toMs) return
      if (query.services && !query.services.includes(service)) return
      if (query.minLevel && !isAtLeast(line.level, query.minLevel)) return
      into.add({ at, order: file.name, offset: raw.offset, value: toLogLine(file, raw, line, at, service) })
    }
    let waiting: (readonly [RawLine, ParsedLine])[] = []
    let untimedFrom = end
    for await (const { from, lines } of linesBackward(handle, end)) {
      signal.throwIfAborted()
      const untimed: (readonly [RawLine, ParsedLine])[] = []
      let at: number | undefined
      // The latest, so that one line with a wrong clock does not end the search.
      let latest = Number.NEGATIVE_INFINITY
      for (const raw of lines) {
        const line = parse(raw.bytes)
        if (line.message === '' || (!line.whole && !raw.ended)) continue
        at = line.at ?? at
        if (line.at !== undefined) latest = Math.max(latest, line.at)
        if (at === undefined) untimed.push([raw, line])
        else place(raw, line, at)
      }
      if (at === undefined) waiting = [...untimed, ...waiting].slice(-query.limit)
      else {
        for (const [raw, line] of waiting) place(raw, line, at)
        waiting = untimed
        untimedFrom = from
      }
      if (at !== undefined && latest < Math.max(query.fromMs, into.floorMs()) - DISORDER_MS) return undefined
      if (untimedFrom - from > MAX_UNTIMED_BYTES) return `${file.name} tells no times that can be read`
    }
    return undefined
  }

  const timeBefore = async (handle: FileHandle, offset: number, signal: AbortSignal) => {
    for await (const { from, lines } of linesBackward(handle, offset)) {
      signal.throwIfAborted()
      const at = lines.map((raw) => parse(raw.bytes).at).findLast((each) => each !== undefined)
      if (at !== undefined) return at
      if (offset - from > MAX_UNTIMED_BYTES) return undefined
    }
    return undefined
  }

  return {
    name: 'files',
    async read(query, signal) {
      const { files, problems } = await listLogFiles(paths)
      const found = new Newest<LogLine>(query.limit)
      const told = [...problems]
      for (const file of files) {
        signal.throwIfAborted()
        const problem = await withFile(file, signal, (handle) => readWindow(file, handle, query, found, signal))
        if (problem.value !== undefined) told.push(problem.value)
        if (problem.failed !== undefined) told.push(`${file.name} cannot be read: ${problem.failed}`)
      }
      const lines = found.take()
      return { lines, truncated: found.truncated, ...(told.length === 0 ? {} : { problems: told }) }
    },
    async findLine(ref, signal) {
      const wanted = parseRef(ref)
      if (!wanted) return undefined
      const { files } = await listLogFiles(paths)
      // A rotated file keeps its lines at their places: app.log becomes app.log.1.
      const named = files.filter(({ name }) => name === wanted.name || name.startsWith(`${wanted.name}.`))
      for (const file of named) {
        signal.throwIfAborted()
        const { value } = await withFile(file, signal, async (handle) => {
          const raw = await lineAt(handle, wanted.offset)
          if (hashLine(raw.bytes) !== wanted.hash) return undefined
          const line = parse(raw.bytes)
          const at = line.at ?? (await timeBefore(handle, wanted.offset, signal))
          if (at === undefined) return undefined
          return { ...toLogLine(file, raw, line, at, line.service ?? serviceOf(file)), ref }
        })
        if (value) return value
      }
      return undefined
    },
  }
}

async function lineAt(handle: FileHandle, offset: number): Promise<RawLine> {
  const bytes = await readAt(handle, offset, MAX_LINE_BYTES)
  const end = bytes.indexOf(NEWLINE)
  return { offset, bytes: end === -1 ? bytes : bytes.subarray(0, end), ended: end !== -1 }
}

/** Opens a file for as long as `work` takes. A file that cannot be read is a reason, not an error. */
async function withFile<T>(
  file: LogFile,
  signal: AbortSignal,
  work: (handle: FileHandle) => Promise<T>,
): Promise<{ value?: T; failed?: string }> {
  let handle: FileHandle | undefined
  try {
    // A named pipe behind a link would otherwise hold a thread of the pool until someone writes into it.
    handle = await open(file.path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!(await handle.stat()).isFile()) return { failed: 'it is not a file' }
    return { value: await work(handle) }
  } catch (error) {
    signal.throwIfAborted()
    const { code } = error as NodeJS.ErrnoException
    if (typeof code !== 'string') throw error
    // Rotated away since it was listed.
    return code === 'ENOENT' ? {} : { failed: reasonOf(error) }
  } finally {
    await handle?.close()
  }
}

function toLogLine(file: LogFile, raw: RawLine, line: ParsedLine, at: number, service: string): LogLine {
  const ref = printRef({ name: file.name, offset: raw.offset, hash: hashLine(raw.bytes) })
  const { level, message, requestId } = line
  return { at, service, level, message, ...(requestId === undefined ? {} : { requestId }), ref }
}

/** A hole that truncation left behind reads as zeros. */
const textOf = (bytes: Buffer): string => bytes.toString('utf8').replaceAll('\0', '').trimEnd()

/** Where lines do not name their service, the file does: `checkout.log` is checkout's. */
const serviceOf = ({ name }: LogFile): string => (name.split('/').at(-1) ?? name).split('.')[0] ?? name
