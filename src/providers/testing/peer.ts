// A provider's server for tests: it answers what it is told to, in pieces and with faults down to the socket.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Peer {
  readonly origin: string
  readonly received: readonly Received[]
  /** How the next calls are answered. */
  answer(how: (response: ServerResponse) => void | Promise<void>): void
  /** Resolves when a caller has hung up on a call. */
  hungUp(): Promise<void>
  stop(): Promise<void>
}

export async function startPeer(): Promise<Peer> {
  let how: (response: ServerResponse) => void | Promise<void> = (response) => void response.end()
  let onHangUp: (() => void) | undefined
  const received: Received[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') })
      response.once('close', () => {
        if (!response.writableFinished) onHangUp?.()
      })
      await how(response)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (next) => {
      how = next
    },
    hungUp: () => new Promise((resolve) => (onHangUp = resolve)),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Answers these pieces, each in a packet of its own as far as the network lets us. */
export const inPieces = (contentType: string, pieces: readonly Buffer[], end: 'whole' | 'cut' = 'whole') =>
  async function (response: ServerResponse): Promise<void> {
    response.socket?.setNoDelay(true)
    response.writeHead(200, { 'content-type': contentType })
    for (const piece of pieces) {
      if (piece.length === 0) continue
      await new Promise<void>((resolve) => response.write(piece, () => resolve()))
      await nextTurn()
    }
    if (end === 'whole') response.end()
    else response.destroy()
  }

export const withStatus =
  (status: number, body: string, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body)
  }
