// The ground under the stand-ins for vendors: a real HTTP server on loopback that can break at any request, before the vendor
// has done what it was asked or after it. What a vendor answers is its own stand-in's matter.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly json: unknown
}

export interface Answered {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** How one request ends other than well. `lost`: done, and the answer is not delivered. */
export type Fault =
  | { readonly kind: 'cut' }
  | { readonly kind: 'lost' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'answer'; readonly answer: (asked: Asked) => Answered }

export interface VendorServer {
  readonly url: string
  readonly asked: Asked[]
  /** Asked of each request, which counts from 0. */
  faultAt: (nth: number, asked: Asked) => Fault | undefined
  close(): Promise<void>
}

export async function serveVendor(answer: (asked: Asked) => Answered): Promise<VendorServer> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://vendor.invalid')
      const body = await text(request)
      const one: Asked = {
        method: request.method ?? '',
        path: decodeURIComponent(url.pathname),
        query: url.searchParams,
        headers: request.headers,
        text: body,
        json: body === '' ? undefined : (JSON.parse(body) as unknown),
      }
      asked.push(one)
      const fault = vendor.faultAt(asked.length - 1, one)
      if (fault?.kind === 'hang') return
      if (fault?.kind === 'cut') return void response.destroy()
      const { status, body: answered, headers } = fault?.kind === 'answer' ? fault.answer(one) : answer(one)
      if (fault?.kind === 'lost') return void response.destroy()
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(answered === undefined ? '' : JSON.stringify(answered))
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const vendor: VendorServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    faultAt: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return vendor
}
