// Reads a request body whole, with a bound on its size; a slow sender is cut off by the server's requestTimeout.
import type { IncomingMessage } from 'node:http'
import { AppError } from '../core/errors.ts'

/** Throws `unsupported_media`, `too_large`, and `client_gone` when the client hangs up in the middle. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = () =>
    new AppError('too_large', `The body is larger than the ${formatBytes(maxBytes)} this address accepts.`)
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new AppError(
      'unsupported_media',
      `The body is encoded as ${encoding.slice(0, 50)}. Send it as it is, without content-encoding.`,
    )
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    throw error instanceof AppError ? error : new AppError('client_gone', undefined, { cause: error })
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)
}

const formatBytes = (bytes: number): string =>
  bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${Math.round(bytes / 1024)} KiB`
