// The least that a proxy for JSON can do on Node: node:http in, undici out, both JSON bodies parsed, streams piped.
// What Midwatch costs beyond this is what its features cost. A process of its own; takes the upstream's origin, prints
// its port.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Dispatcher, Pool } from 'undici'

const pool = new Pool(process.argv[2] ?? '', { connections: null })

class PassOn implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  readonly #plain: Buffer[] = []
  #streamed = false

  constructor(response: ServerResponse) {
    this.#response = response
  }

  /** Without this method undici takes the handler for one of its older kind. */
  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#streamed = headers['content-type'] === 'text/event-stream'
    this.#response.writeHead(status, { 'content-type': headers['content-type'] ?? 'application/json' })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#streamed) this.#plain.push(chunk)
    else if (!this.#response.write(chunk)) {
      controller.pause()
      this.#response.once('drain', () => controller.resume())
    }
  }

  onResponseEnd(): void {
    if (this.#streamed) this.#response.end()
    else {
      const body = Buffer.concat(this.#plain)
      JSON.parse(body.toString('utf8'))
      this.#response.end(body)
    }
  }

  onResponseError(): void {
    this.#response.destroy()
  }
}

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const body = Buffer.concat(parts)
    JSON.parse(body.toString('utf8'))
    const headers = { 'content-type': 'application/json' }
    pool.dispatch({ method: 'POST', path: request.url ?? '/', headers, body }, new PassOn(response))
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
