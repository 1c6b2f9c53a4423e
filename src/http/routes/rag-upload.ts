// A form with files on its way into a collection, held in memory within bounds: parsers want the whole of a file.
import type { IncomingMessage } from 'node:http'
import { AppError } from '../../core/errors.ts'
import type { Exchange } from '../exchange.ts'
import { readMultipart } from '../multipart.ts'

export interface Upload {
  readonly fields: Readonly<Record<string, string>>
  readonly files: readonly UploadedFile[]
}

export interface UploadedFile {
  readonly name: string
  /** undefined: told by the name and the bytes. */
  readonly mediaType: string | undefined
  readonly bytes: Uint8Array
}

/** Of all files together. */
export const MAX_FILE_BYTES = 64 * 1024 * 1024
const MAX_FIELD_BYTES = 64 * 1024
/** An upload that stands still for so long is given up, and so is one that is not done after the other. */
const IDLE_MS = 30_000
const LONGEST_MS = 10 * 60_000

/** As much as a body may come to: what it says, or all that may be sent where it says nothing. */
export function sizeOf({ headers }: Pick<Exchange, 'headers'>, mostBytes: number): number {
  const said = Number(headers['content-length'] ?? mostBytes)
  return Number.isFinite(said) ? Math.min(Math.max(said, 0), mostBytes) : mostBytes
}

/** Throws `malformed`, `too_large`, `unsupported_media`, and `client_gone` when the client hangs up in the middle. */
export async function readUpload(exchange: Exchange): Promise<Upload> {
  const { request } = exchange.raw
  const tooLarge = () =>
    new AppError('too_large', `A form may have ${MAX_FILE_BYTES / 1024 ** 2} MiB of files at most.`)
  if (Number(request.headers['content-length'] ?? 0) > MAX_FILE_BYTES + 1024 ** 2) throw tooLarge()
  const fields: Record<string, string> = {}
  const files: UploadedFile[] = []
  let size = 0
  for await (const part of readMultipart(bytesOf(request), request.headers['content-type'])) {
    const pieces: Buffer[] = []
    let partSize = 0
    const isFile = part.filename !== undefined
    for await (const piece of part.body) {
      partSize += piece.length
      if (isFile && size + partSize > MAX_FILE_BYTES) throw tooLarge()
      if (!isFile && partSize > MAX_FIELD_BYTES)
        throw new AppError('too_large', `The field ${part.name.slice(0, 50)} is larger than 64 KiB.`)
      pieces.push(piece)
    }
    size += partSize
    const bytes = Buffer.concat(pieces)
    if (!isFile) fields[part.name] = bytes.toString('utf8')
    else if (part.name !== 'file' && part.name !== 'files' && part.name !== 'file[]') {
      throw new AppError('malformed', `Send files in the field file, not in ${part.name.slice(0, 50)}.`, {
        field: 'file',
      })
    } else files.push({ name: cleanName(part.filename, files.length), mediaType: undefined, bytes })
  }
  return { fields, files }
}

/** A name within the collection, never a path of ours: no way up, no control characters. */
function cleanName(given: string | undefined, index: number): string {
  const name = (given ?? '')
    // oxlint-disable-next-line no-control-regex -- they are what must not be in it
    .replaceAll(/[\u0000-\u001f\u007f]/g, '')
    .replaceAll('\\', '/')
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/')
    .slice(0, 1000)
  return name === '' ? `file-${index + 1}` : name
}

async function* bytesOf(request: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  const end = hurry(request)
  try {
    // What is left of a refused body is read by the server, so that the client gets to see why.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Buffer
  } catch (error) {
    throw new AppError('client_gone', undefined, { cause: error })
  } finally {
    end()
  }
}

/** Reads a body that may take its time, though not for ever. */
export async function withinTime<T>(request: IncomingMessage, read: () => Promise<T>): Promise<T> {
  const end = hurry(request)
  try {
    return await read()
  } finally {
    end()
  }
}

function hurry(request: IncomingMessage): () => void {
  const giveUp = (): void => void request.destroy()
  const limit = setTimeout(giveUp, LONGEST_MS)
  request.setTimeout(IDLE_MS, giveUp)
  return () => {
    clearTimeout(limit)
    request.setTimeout(0)
    request.off('timeout', giveUp)
  }
}
