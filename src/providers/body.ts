// The body of an answer, as what it says: pieces joined, compression undone (some servers compress though they were told
// not to), and without the byte order mark that some put before their JSON.
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { ProviderFailure } from '../llm/provider.ts'

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** Throws ProviderFailure where it cannot be read, or is larger than that. */
export function wholeBody(pieces: readonly Buffer[], encoding: string | undefined, maxBytes: number): Buffer {
  const joined = pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces)
  const body = encoding === undefined || joined.length === 0 ? joined : decoded(joined, encoding, maxBytes)
  return body[0] === 0xef && body.subarray(0, 3).equals(BYTE_ORDER_MARK) ? body.subarray(3) : body
}

/** RFC 9110, 8.4: the last one named was applied last. */
function decoded(body: Buffer, encoding: string, maxBytes: number): Buffer {
  const limit = { maxOutputLength: maxBytes }
  let bytes = body
  try {
    for (const name of encoding.toLowerCase().split(',').toReversed()) {
      switch (name.trim()) {
        case '':
        case 'identity':
          break
        case 'gzip':
        case 'x-gzip':
          bytes = gunzipSync(bytes, limit)
          break
        case 'deflate':
          bytes = inflateSync(bytes, limit)
          break
        case 'br':
          bytes = brotliDecompressSync(bytes, limit)
          break
        case 'zstd':
          bytes = zstdDecompressSync(bytes, limit)
          break
        default:
          throw new Error('nobody here knows it')
      }
    }
    return bytes
  } catch (error) {
    throw new ProviderFailure('upstream_malformed', `its answer, encoded as ${encoding}, cannot be read`, {
      cause: error,
    })
  }
}
