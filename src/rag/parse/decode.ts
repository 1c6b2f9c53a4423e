// Bytes to text: UTF-8, UTF-16 by its mark, else Latin-1 (as Windows has it). What is no text is refused.
import { AppError } from '../../core/errors.ts'

const MOST_CONTROLS = 0.05
const CONTROLS = /(?!\s)\p{Cc}/gu

/** Without the byte order mark. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode('utf-16le', bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode('utf-16be', bytes)
  if (bytes.includes(0)) throw new AppError('malformed', 'It holds NUL bytes: it is binary and not text. Leave it out.')
  const text = decode('utf-8', bytes) ?? decode('windows-1252', bytes)
  const controls = text.slice(0, 65_536).match(CONTROLS)?.length ?? 0
  if (controls > Math.min(text.length, 65_536) * MOST_CONTROLS) {
    throw new AppError('malformed', 'It is full of control characters: it is binary and not text. Leave it out.')
  }
  return text
}

function decode(encoding: 'utf-8', bytes: Uint8Array): string | undefined
function decode(encoding: 'utf-16le' | 'utf-16be' | 'windows-1252', bytes: Uint8Array): string
function decode(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: encoding === 'utf-8' }).decode(bytes)
  } catch {
    return undefined
  }
}
