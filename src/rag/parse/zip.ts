// The parts of a zip archive that are asked for, with a bound on what they unpack to. Sizes are told by the archive and
// checked while inflating, for a bomb lies about them. Only what a DOCX needs: stored and deflated entries, no ZIP64.
import { inflateRawSync } from 'node:zlib'
import { AppError } from '../../core/errors.ts'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const LOCAL_ENTRY = 0x04034b50
const ENCRYPTED = 0x1
const MOST_ENTRIES = 10_000

/** Throws `malformed` for a damaged or encrypted archive and `too_large` for more than `mostBytes` in all. */
export function unzip(bytes: Uint8Array, isWanted: (name: string) => boolean, mostBytes: number): Map<string, Buffer> {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'))
  if (end === -1 || end + 22 > zip.length || zip.readUInt32LE(end) !== END_OF_DIRECTORY) throw broken()
  const count = zip.readUInt16LE(end + 10)
  if (count > MOST_ENTRIES) throw bomb(mostBytes)
  const parts = new Map<string, Buffer>()
  let left = mostBytes
  try {
    for (let i = 0, at = zip.readUInt32LE(end + 16); i < count; i++) {
      if (zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw broken()
      const nameEnd = at + 46 + zip.readUInt16LE(at + 28)
      const name = zip.toString('utf8', at + 46, nameEnd)
      if (isWanted(name) && !parts.has(name)) {
        const part = inflate(zip, at, left)
        left -= part.length
        parts.set(name, part)
      }
      at = nameEnd + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    if (error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw bomb(mostBytes)
    throw broken(error)
  }
  return parts
}

function inflate(zip: Buffer, at: number, most: number): Buffer {
  if (zip.readUInt16LE(at + 8) & ENCRYPTED)
    throw new AppError('malformed', 'It is encrypted. Save it without a password.')
  const method = zip.readUInt16LE(at + 10)
  const size = zip.readUInt32LE(at + 20)
  const local = zip.readUInt32LE(at + 42)
  if (zip.readUInt32LE(local) !== LOCAL_ENTRY) throw broken()
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  if (start + size > zip.length || (method !== 0 && method !== 8)) throw broken()
  const packed = zip.subarray(start, start + size)
  if (method === 8) return inflateRawSync(packed, { maxOutputLength: Math.max(1, most) })
  if (size > most) throw bomb(most)
  return packed
}

const broken = (cause?: unknown): AppError =>
  new AppError('malformed', 'The zip archive that it is made of is broken. Save it again.', { cause })

const bomb = (most: number): AppError =>
  new AppError('too_large', `It unpacks to more than ${Math.round(most / 1024 / 1024)} MiB. Split the document.`)
