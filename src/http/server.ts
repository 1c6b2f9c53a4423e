// The edge: routes a request, learns who is asking, runs the handler, and turns whatever is thrown into an answer in
// the caller's dialect. Raw node:http, for the gateway's streams pass through here and every layer costs.
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import findMyWay from 'find-my-way'
import type { z } from 'zod'
import { type Caller, mayDo, type Scope } from '../core/caller.ts'
import { AppError, toAppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { parseAs, parseJson, QUERY } from '../core/parse.ts'
import type { Log } from '../observe/log.ts'
import { readBody } from './body.ts'
import { errorReply } from './error-reply.ts'
import type { ErrorDialect, Exchange, Reply, Route } from './exchange.ts'
import { refuseForeignPages } from './origin.ts'

export interface ServerOptions {
  readonly routes: readonly Route[]
  /** Turns the request's key into a Caller. Throws `unauthenticated`, or `unavailable` when it cannot know. */
  readonly identify: (request: IncomingMessage, where: { readonly keyInUrl: boolean }) => Promise<Caller>
  /** Hosts by which a browser may call us, beside loopback. */
  readonly publicUrl: string | undefined
  /** True while nobody is asked for a key (`auth.mode: off`). */
  readonly keyless: boolean
  readonly log: Log
  /** How long a request may take to arrive whole; a minute unless told. */
  readonly requestTimeoutMs?: number
  /** How long a client may take nothing of what is written for it; half a minute unless told. */
  readonly patienceMs?: number
}

const DEFAULT_MAX_BODY_BYTES = 1024 * 1024
/** What a handler has, once its grace is over, to tell its client so. */
const CUT_OFF_MS = 500

export interface RunningServer {
  readonly port: number
  /** Takes no new requests, lets those under way finish until `graceMs` is over, then ends them. */
  stop(graceMs: number): Promise<void>
}

/** Listens. Throws AppError `unavailable` when the address is taken. */
export async function startServer(options: ServerOptions, host: string, port: number): Promise<RunningServer> {
  const { requestTimeoutMs = 60_000, patienceMs = 30_000 } = options
  const stopping = new AbortController()
  /** Connections on which a body is coming that may take its time. */
  const longBodies = new WeakSet<Duplex>()
  /** What is under way, to be ended when the grace of a stop is over. */
  const underWay = new Set<AbortController>()
  const router = findMyWay({ caseSensitive: true, ignoreTrailingSlash: true, maxParamLength: 500 })
  for (const route of options.routes) router.on(route.method, route.path, () => undefined, route)
  const methods = [...new Set(options.routes.map((route) => route.method))]

  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const id = requestId(request)
    // Only taken on connections that were open already: a client that comes again finds another replica.
    if (stopping.signal.aborted) response.setHeader('connection', 'close')
    const found = router.find(routedMethod(request), pathOf(request))
    const route = found?.store as Route | undefined
    const dialect = dialectOf(request, route)
    const own = ownHeaders(id, dialect)
    try {
      refuseForeignPages(request, options.publicUrl, options.keyless)
      if (!route) throw noRoute(request, methods, (method, path) => router.find(method, path) !== null)
      const caller = await callerFor(route, request, options)
      if (route.longBody) {
        longBodies.add(request.socket)
        request.once('close', () => longBodies.delete(request.socket))
      }
      const exchange = new HttpExchange({
        id,
        ownHeaders: own,
        request,
        response,
        route,
        params: found?.params ?? {},
        caller,
        stopping: stopping.signal,
        underWay,
      })
      send(response, await route.handle(exchange), own)
    } catch (thrown) {
      const error = toAppError(thrown)
      const level = error.code === 'internal' ? 'error' : error.status >= 500 ? 'warn' : 'debug'
      options.log[level]({ err: thrown, requestId: id, path: pathOf(request) }, error.message)
      // Once a stream has begun its own dialect has to tell of the failure; here only the socket is left to close.
      if (response.headersSent) response.destroy()
      else {
        if (!request.complete) readRest(request)
        send(response, errorReply(error, dialect, id, route?.keyInUrl), own)
      }
    }
    // All is written, and stays in memory until it is taken. No limit of the call's holds any more.
    if (!response.writableFinished) response.setTimeout(patienceMs, () => response.destroy())
  }

  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: Math.min(20_000, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(30_000, requestTimeoutMs / 2),
      keepAliveTimeout: 65_000,
    },
    (request, response) => {
      respond(request, response).catch((error: unknown) => {
        options.log.error({ err: error }, 'a response could not be written')
        response.destroy()
      })
    },
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== TOO_SLOW || !longBodies.has(socket)) refuseClient(error, socket)
  })
  await listen(server, host, port)
  return {
    port: (server.address() as AddressInfo).port,
    stop: async (graceMs) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const reason = new AppError('unavailable', 'Midwatch is stopping. Try again in a moment.')
      stopping.abort(reason)
      const timer = setTimeout(() => {
        for (const one of underWay) one.abort(reason)
        setTimeout(() => server.closeAllConnections(), CUT_OFF_MS).unref()
      }, graceMs)
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      await closed
      clearTimeout(timer)
      clearInterval(idle)
    },
  }
}

const TOO_SLOW = 'ERR_HTTP_REQUEST_TIMEOUT'
const REFUSALS: Readonly<Record<string, string>> = {
  [TOO_SLOW]: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
}

/** What cannot be understood as a request has no route that could answer it. */
function refuseClient(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (socket.writable && error.code !== 'ECONNRESET') {
    socket.write(`HTTP/1.1 ${REFUSALS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`)
  }
  socket.destroy(error)
}

/** How long a sender is listened to that goes on writing after it was answered. */
const REST_MS = 3000

/**
 * Reads what is left of a refused body and throws it away. Closing at once would reset the connection, and the sender,
 * still writing, would never see why it was refused.
 */
function readRest(request: IncomingMessage): void {
  if (request.closed) return
  const timer = setTimeout(() => request.socket.destroy(), REST_MS)
  timer.unref()
  request.once('close', () => clearTimeout(timer))
  request.resume()
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? `port ${port} on ${host} is in use: stop what runs there or choose another with --port`
          : error.message
      reject(new AppError('unavailable', `Cannot listen: ${why}.`, { cause: error }))
    })
    server.listen(port, host, () => resolve())
  })
}

async function callerFor(route: Route, request: IncomingMessage, options: ServerOptions): Promise<Caller> {
  if (route.scope === null) return { tenant: '', keyId: 'anonymous', name: 'anonymous', scopes: [] }
  const caller = await options.identify(request, { keyInUrl: route.keyInUrl ?? false })
  if (!mayUse(caller, route.scope)) {
    const scopes = [route.scope].flat()
    throw new AppError(
      'forbidden',
      `The key "${caller.name}" lacks the scope ${scopes.join(' or ')}. Ask an admin for a key that has it.`,
    )
  }
  return caller
}

const mayUse = (caller: Caller, scope: Scope | readonly Scope[]): boolean =>
  typeof scope === 'string' ? mayDo(caller, scope) : scope.some((one) => mayDo(caller, one))

interface ExchangeParts {
  readonly id: string
  readonly ownHeaders: Exchange['ownHeaders']
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly route: Route
  readonly params: Readonly<Record<string, string | undefined>>
  readonly caller: Caller
  readonly stopping: AbortSignal
  readonly underWay: Set<AbortController>
}

/** One controller a request, not a signal joined from several: joining costs more than all the rest of this. */
class HttpExchange implements Exchange {
  readonly id: string
  readonly ownHeaders: Exchange['ownHeaders']
  readonly method: string
  readonly params: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly caller: Caller
  readonly signal: AbortSignal
  readonly stopping: AbortSignal
  readonly raw: Exchange['raw']
  readonly #maxBodyBytes: number
  #url: URL | undefined

  constructor({ id, ownHeaders, request, response, route, params, caller, stopping, underWay }: ExchangeParts) {
    this.id = id
    this.ownHeaders = ownHeaders
    this.method = request.method ?? 'GET'
    this.params = params as Record<string, string>
    this.headers = request.headers
    this.caller = caller
    this.stopping = stopping
    this.raw = { request, response }
    this.#maxBodyBytes = route.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES
    const over = new AbortController()
    this.signal = over.signal
    underWay.add(over)
    const end = (): void => {
      underWay.delete(over)
      if (!response.writableFinished) over.abort(new AppError('client_gone'))
    }
    // It may have gone away while its key was looked up: then nobody tells so again.
    if (response.closed) end()
    else response.once('close', end)
  }

  get url(): URL {
    return (this.#url ??= urlOf(this.raw.request))
  }

  body(): Promise<Buffer> {
    return readBody(this.raw.request, this.#maxBodyBytes)
  }

  async json<T extends z.ZodType>(schema: T): Promise<z.output<T>> {
    return parseAs(schema, parseJson(await this.body()))
  }

  query<T extends z.ZodType>(schema: T): z.output<T> {
    return parseAs(schema, Object.fromEntries(this.url.searchParams), QUERY)
  }
}

function noRoute(
  request: IncomingMessage,
  methods: readonly Route['method'][],
  has: (method: Route['method'], path: string) => boolean,
): AppError {
  const path = pathOf(request)
  const takes = methods.filter((method) => has(method, path))
  const meant = methods.includes(request.method as Route['method'])
    ? [`/v1${path}`, path.replace(/^\/v1\/v1\//, '/v1/')].find(
        (near) => near !== path && has(request.method as Route['method'], near),
      )
    : undefined
  if (meant !== undefined)
    return new AppError(
      'not_found',
      `There is nothing at ${path}, but at ${meant}. Look at the base URL of your client.`,
    )
  return takes.length > 0
    ? new AppError('method_not_allowed', `${path} takes ${takes.join(', ')}, not ${request.method ?? '?'}.`)
    : new AppError('not_found', `There is nothing at ${path}.`)
}

/** The shape of errors: the route's, or where none is found, by whose address it might have been. */
function dialectOf(request: IncomingMessage, route: Route | undefined): ErrorDialect {
  const path = pathOf(request)
  if (path.startsWith('/v1/messages')) return 'anthropic'
  // Both APIs have this address; only Anthropic's clients name a version.
  if (path.startsWith('/v1/models') && request.headers['anthropic-version'] !== undefined) return 'anthropic'
  return route?.dialect ?? (OPENAIS.test(path) ? 'openai' : 'midwatch')
}

const OPENAIS = /^\/v1\/(?:chat|responses|embeddings|files|batches)(?:\/|$)/

/** HEAD is answered as GET, without the body. */
const routedMethod = ({ method }: IncomingMessage): Route['method'] =>
  (method === 'HEAD' ? 'GET' : (method ?? 'GET')) as Route['method']

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] ?? '/'

/** Throws `malformed`. Joined, not resolved: a path that begins with two slashes would be taken for a host. */
function urlOf({ url = '/' }: IncomingMessage): URL {
  const whole = url.startsWith('/') ? `http://midwatch${url}` : url
  if (!URL.canParse(whole)) throw new AppError('malformed', 'The address of the request cannot be understood.')
  return new URL(whole)
}

const SANE_ID = /^[\w.:-]{1,128}$/

function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && SANE_ID.test(given) ? given : newId('req')
}

/** By the second name Anthropic's clients show it to their users. */
const ownHeaders = (id: string, dialect: ErrorDialect): Exchange['ownHeaders'] =>
  dialect === 'anthropic' ? { 'x-request-id': id, 'request-id': id } : { 'x-request-id': id }

function send(response: ServerResponse, reply: Reply, own: Exchange['ownHeaders']): void {
  if (reply === 'streamed') return
  const body = 'json' in reply ? JSON.stringify(reply.json) : reply.body
  const headers: Record<string, string | number> = {}
  if ('json' in reply) headers['content-type'] = 'application/json; charset=utf-8'
  Object.assign(headers, own)
  headers['x-content-type-options'] = 'nosniff'
  Object.assign(headers, reply.headers)
  // RFC 9110, 8.6: not even a length of 0 where there can be no body.
  if (reply.status !== 204) headers['content-length'] = Buffer.byteLength(body)
  response.writeHead(reply.status, headers)
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
