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
  return collect(request, maxBytes, tooLarge)
}

/** By events: an asynchronous iterator costs several promises a chunk. */
const collect = (request: IncomingMessage, maxBytes: number, tooLarge: () => AppError): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    if (request.closed && !request.complete) return reject(new AppError('client_gone'))
    const chunks: Buffer[] = []
    let size = 0
    const fail = (error: AppError): void => {
      request.off('data', take)
      request.pause()
      reject(error)
    }
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size > maxBytes) fail(tooLarge())
      else chunks.push(chunk)
    }
    request.on('data', take)
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    request.once('error', (cause) => fail(new AppError('client_gone', undefined, { cause })))
    request.once('close', () => {
      if (!request.complete) fail(new AppError('client_gone'))
    })
  })

const formatBytes = (bytes: number): string =>
  bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${Math.round(bytes / 1024)} KiB`
