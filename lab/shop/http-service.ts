// The HTTP side of a shop process: routes, the request id, metrics, modest logging, a limit on how many requests are
// worked on at once, and errors told as what they are.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ShopLog } from './json-log.ts'
import type { ShopMetrics } from './metrics.ts'
import { ShopError, statusOf } from './shop-error.ts'
import type { Workers } from './workers.ts'

export interface ShopRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown
  readonly requestId: string
  /** The same for every request over one connection: what the database counts its clients by. */
  readonly connection: object
}

export interface ShopRoute {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Such as `/products/:id`; also the metrics' label. */
  readonly path: string
  handle(request: ShopRequest): Promise<unknown>
}

/** One of this many requests that went well is logged. */
const LOG_ONE_OF = 15
const SLOW_MS = 1000

export interface HttpService {
  readonly port: number
  readonly server: Server
  /** Stops accepting, waits for what is being answered. */
  close(): Promise<void>
}

export async function serveRoutes(options: {
  readonly routes: readonly ShopRoute[]
  readonly metrics: ShopMetrics
  readonly log: ShopLog
  readonly workers: Workers
  /** Tried first; another one is taken when it is in use. */
  readonly port: number
}): Promise<HttpService> {
  const { metrics, log, workers } = options
  const routes = options.routes.map((route) => ({ route, segments: route.path.split('/') }))
  let served = 0

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://shop')
    if (url.pathname === '/metrics') return sendMetrics(response)
    const startedMs = performance.now()
    const requestId = String(request.headers['x-request-id'] ?? randomUUID())
    const method = request.method ?? 'GET'
    const found = findRoute(routes, method, url.pathname)
    const route = found?.route.path ?? 'unknown'
    metrics.inflight.inc()
    let status = 200
    try {
      if (!found) throw new ShopError(404, `there is no ${method} ${url.pathname}`)
      const body = await readJson(request)
      const result = await workers.run(() =>
        found.route.handle({
          params: found.params,
          query: url.searchParams,
          body,
          requestId,
          connection: request.socket,
        }),
      )
      send(response, status, result, requestId)
    } catch (error) {
      status = statusOf(error)
      const message = error instanceof Error ? error.message : String(error)
      if (status >= 500) log.error(`${method} ${route} failed with ${status}: ${message}`, requestId)
      send(response, status, { error: message }, requestId)
    } finally {
      const tookMs = performance.now() - startedMs
      metrics.inflight.dec()
      metrics.requests.inc({ method, route, status: String(status) })
      metrics.requestSeconds.observe({ route }, tookMs / 1000)
      if (tookMs > SLOW_MS) log.warn(`${method} ${route} took ${Math.round(tookMs)} ms`, requestId)
      else if (status < 500 && served++ % LOG_ONE_OF === 0)
        log.info(`${method} ${route} ${status} in ${Math.round(tookMs)} ms`, requestId)
    }
  }

  async function sendMetrics(response: ServerResponse): Promise<void> {
    const text = await metrics.registry.metrics()
    response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log.error(`cannot answer: ${String(error)}`)
      response.destroy()
    })
  })
  // Longer than any pause between two calls: a connection closed in the moment of its next use looks like a fault.
  server.keepAliveTimeout = 60_000
  const port = await listen(server, options.port)
  return {
    port,
    server,
    close: async () => {
      // A kept-alive connection that was busy just now becomes idle later: look again until none is left.
      const sweep = setInterval(() => server.closeIdleConnections(), 50)
      await new Promise((resolve) => server.close(resolve))
      clearInterval(sweep)
    },
  }
}

/** Listens on the loopback address; the port of a process that crashed may be taken by now. */
export async function listen(server: Server, wanted: number): Promise<number> {
  const attempt = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject)
        resolve()
      })
    })
  await attempt(wanted).catch((error: NodeJS.ErrnoException) => {
    if (wanted === 0 || error.code !== 'EADDRINUSE') throw error
    return attempt(0)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

function findRoute(
  routes: readonly { route: ShopRoute; segments: readonly string[] }[],
  method: string,
  path: string,
): { route: ShopRoute; params: Record<string, string> } | undefined {
  const given = path.split('/')
  for (const { route, segments } of routes) {
    if (route.method !== method || segments.length !== given.length) continue
    const params: Record<string, string> = {}
    const fits = segments.every((segment, i) => {
      if (!segment.startsWith(':')) return segment === given[i]
      params[segment.slice(1)] = given[i] ?? ''
      return given[i] !== ''
    })
    if (fits) return { route, params }
  }
  return undefined
}

const MAX_BODY_BYTES = 256 * 1024

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new ShopError(413, 'the body is too large')
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new ShopError(400, 'the body is not JSON')
  }
}

function send(response: ServerResponse, status: number, body: unknown, requestId: string): void {
  if (response.headersSent) return
  const text = JSON.stringify(body ?? null)
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'x-request-id': requestId,
    })
    .end(text)
}
