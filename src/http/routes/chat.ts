// OpenAI's chat dialect at the door: `POST /v1/chat/completions`. The answer's frames go out as they come; the plain
// answer is the same path with its one frame kept until the ledger has the outcome.
import { AppError } from '../../core/errors.ts'
import { formatSse } from '../../core/sse.ts'
import type { Gateway } from '../../gateway/gateway.ts'
import type { Outcome } from '../../gateway/outcome.ts'
import { errorBody, errorReply } from '../error-reply.ts'
import type { Exchange, Reply, Route } from '../exchange.ts'
import { factHeaders, HttpAudience } from './chat-audience.ts'

const MAX_BODY_BYTES = 10 * 1024 * 1024
const DONE = Buffer.from('data: [DONE]\n\n')

export function chatRoutes(gateway: Gateway): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/chat/completions',
      scope: 'llm:chat',
      dialect: 'openai',
      maxBodyBytes: MAX_BODY_BYTES,
      handle: (exchange) => chat(gateway, exchange),
    },
  ]
}

async function chat(gateway: Gateway, exchange: Exchange): Promise<Reply> {
  const deadlineMs = readDeadline(exchange)
  const body = await exchange.body()
  const audience = new HttpAudience(exchange.raw.response)
  const outcome = await gateway.chat(
    { body, caller: exchange.caller, requestId: exchange.id, signal: exchange.signal, deadlineMs },
    audience,
  )
  return audience.streaming ? endStream(outcome, audience, exchange.id) : wholeReply(outcome, audience, exchange.id)
}

function endStream(outcome: Outcome, audience: HttpAudience, requestId: string): Reply {
  switch (outcome.kind) {
    case 'served':
      audience.end(outcome.closing ?? DONE)
      break
    case 'failed':
      audience.end(outcome.event ?? formatSse(JSON.stringify(errorBody(outcome.error, 'openai', requestId))))
      break
    case 'refused':
    case 'abandoned':
      audience.end()
  }
  return 'streamed'
}

function wholeReply(outcome: Outcome, audience: HttpAudience, requestId: string): Reply {
  const headers = factHeaders(outcome.facts)
  switch (outcome.kind) {
    case 'served':
      return { status: 200, headers: { ...JSON_BODY, ...headers }, body: audience.whole() }
    case 'failed':
      if (outcome.reply) {
        return { status: outcome.reply.status, headers: { ...JSON_BODY, ...headers }, body: outcome.reply.body }
      }
      return withHeaders(errorReply(outcome.error, 'openai', requestId), headers)
    case 'refused':
      return withHeaders(errorReply(outcome.error, 'openai', requestId), headers)
    case 'abandoned':
      return 'streamed'
  }
}

const JSON_BODY = { 'content-type': 'application/json' }

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
