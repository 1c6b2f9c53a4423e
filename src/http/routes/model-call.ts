// One handler for every dialect in which a model can be called. The answer's frames go out as they come; the plain
// answer takes the same path with its one frame kept until the ledger has the outcome.
import type { Scope } from '../../core/caller.ts'
import { AppError } from '../../core/errors.ts'
import { type CacheDirective, readCacheDirective } from '../../gateway/cache/cacheable.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Outcome } from '../../gateway/outcome.ts'
import type { Dialect } from '../../llm/dialect.ts'
import { PASSED_HEADERS } from '../../llm/provider.ts'
import { errorReply } from '../error-reply.ts'
import type { ErrorDialect, Exchange, Reply, Route } from '../exchange.ts'
import { factHeaders, HttpAudience } from './chat-audience.ts'

const MAX_BODY_BYTES = 32 * 1024 * 1024

/** `POST` at the dialect's own address. */
export const modelCallRoute = (
  gateway: Gateway,
  dialect: Dialect,
  errors: ErrorDialect,
  scope: Scope = 'llm:chat',
): Route => ({
  method: 'POST',
  path: dialect.endpoint,
  scope,
  dialect: errors,
  maxBodyBytes: MAX_BODY_BYTES,
  handle: (exchange) => callModel(gateway, dialect, errors, exchange),
})

/** `dialect`: may be one made for this exchange. */
export async function callModel(
  gateway: Gateway,
  dialect: Dialect,
  errors: ErrorDialect,
  exchange: Exchange,
): Promise<Reply> {
  const deadlineMs = readDeadline(exchange)
  const onCut = readOnCut(exchange)
  const cache = readCache(exchange)
  const body = await exchange.body()
  const audience = new HttpAudience(exchange.raw.response, exchange.ownHeaders)
  const outcome = await gateway.serve(
    {
      dialect,
      body,
      caller: exchange.caller,
      requestId: exchange.id,
      signal: exchange.signal,
      deadlineMs,
      onCut,
      cache,
      headers: passedHeaders(exchange),
      user: readUser(exchange),
      traceparent: readTraceparent(exchange),
    },
    audience,
  )
  if (!audience.streaming) return wholeReply(outcome, audience, errors, exchange.id)
  endStream(outcome, audience, dialect, exchange.id)
  return 'streamed'
}

function endStream(outcome: Outcome, audience: HttpAudience, dialect: Dialect, requestId: string): void {
  switch (outcome.kind) {
    case 'served':
      return audience.end(outcome.closing)
    case 'failed':
      return audience.end(outcome.event ?? dialect.errorEvent(outcome.error, requestId))
    case 'refused':
    case 'abandoned':
      return audience.end()
  }
}

function wholeReply(outcome: Outcome, audience: HttpAudience, errors: ErrorDialect, requestId: string): Reply {
  const headers = factHeaders(outcome.facts)
  switch (outcome.kind) {
    case 'served':
      return { status: 200, headers: asJson(headers), body: audience.whole() }
    case 'failed':
      if (outcome.reply) {
        return { status: outcome.reply.status, headers: asJson(headers), body: outcome.reply.body }
      }
      return withHeaders(errorReply(outcome.error, errors, requestId), headers)
    case 'refused':
      return withHeaders(errorReply(outcome.error, errors, requestId), headers)
    case 'abandoned':
      return 'streamed'
  }
}

const readTraceparent = ({ headers: { traceparent } }: Exchange): string | undefined =>
  typeof traceparent === 'string' ? traceparent : undefined

function passedHeaders({ headers }: Exchange): Readonly<Record<string, string>> | undefined {
  let passed: Record<string, string> | undefined
  for (const name of PASSED_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') (passed ??= {})[name] = value
  }
  return passed
}

function asJson(headers: Record<string, string>): Record<string, string> {
  headers['content-type'] = 'application/json'
  return headers
}

const withHeaders = (reply: Reply, headers: Readonly<Record<string, string>>): Reply =>
  reply === 'streamed' ? reply : { ...reply, headers: { ...headers, ...reply.headers } }

/** Throws `malformed`. */
function readDeadline({ headers }: Exchange): number | undefined {
  const given = headers['x-midwatch-deadline-ms']
  if (given === undefined) return undefined
  const ms = Number(given)
  if (Number.isInteger(ms) && ms > 0) return ms
  throw new AppError('malformed', 'The header x-midwatch-deadline-ms must be a whole number of milliseconds above 0.', {
    field: 'x-midwatch-deadline-ms',
  })
}

/** Throws `malformed`. Given twice, the two come as one text with a comma, and are none. */
const readCache = ({ headers }: Exchange): CacheDirective | null => {
  const given = headers['x-midwatch-cache']
  return readCacheDirective(Array.isArray(given) ? given.join() : given)
}

const ON_CUT = ['fail', 'restart', 'continue'] as const

/** Throws `malformed`. */
function readOnCut({ headers }: Exchange): (typeof ON_CUT)[number] | undefined {
  const given = headers['x-midwatch-on-cut']
  if (given === undefined) return undefined
  const known = ON_CUT.find((one) => one === given)
  if (known) return known
  throw new AppError('malformed', 'The header x-midwatch-on-cut must be fail, restart or continue.', {
    field: 'x-midwatch-on-cut',
  })
}

const LONGEST_USER = 256

/** Throws `malformed`. */
function readUser({ headers }: Exchange): string | undefined {
  const given = headers['x-midwatch-user']
  if (given === undefined || given === '') return undefined
  if (typeof given === 'string' && given.length <= LONGEST_USER) return given
  throw new AppError(
    'malformed',
    `The header x-midwatch-user must be given once, with at most ${LONGEST_USER} characters.`,
    {
      field: 'x-midwatch-user',
    },
  )
}
