// Real servers on the loopback for tests: a platform that carries out actions once a key, and a webhook that listens.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface TestServer {
  readonly url: string
  readonly received: Received[]
  close(): Promise<void>
}

export type Respond = (request: Received, all: readonly Received[]) => { status: number; body?: string; hang?: true }

export async function listen(respond: Respond): Promise<TestServer> {
  const received: Received[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const one: Received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      }
      const { status, body = '', hang } = respond(one, received)
      received.push(one)
      if (hang) return
      response.writeHead(status, { 'content-type': 'text/plain' }).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** POST carries out, `GET /runs/KEY` answers 200 for a key that arrived and 404 for one that did not. */
export const platform: Respond = (request, all) => {
  if (request.method === 'POST') return { status: 200, body: 'done' }
  const key = request.path.split('/').at(-1)
  return { status: all.some(({ headers }) => headers['idempotency-key'] === key) ? 200 : 404 }
}

export const accept: Respond = () => ({ status: 204 })
