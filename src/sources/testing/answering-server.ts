// A server that answers each request as a test tells it, and remembers what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Asked {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface AnsweringServer extends AsyncDisposable {
  readonly url: string
  readonly asked: readonly Asked[]
}

/** `answer` returns what is sent as JSON, or answers by itself and returns nothing. */
export async function startAnswering(
  answer: (asked: Asked, response: ServerResponse) => unknown,
): Promise<AnsweringServer> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const { method = '', headers } = request
      const one = { method, url: new URL(request.url ?? '', 'http://h'), headers, body: await text(request) }
      asked.push(one)
      const value = await answer(one, response)
      if (value !== undefined) response.end(JSON.stringify(value))
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
