// One server that stands in for every vendor, each at its own path, with each one's keys and refusals.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ZodError } from 'zod'
import { answerMessages, messagesAnswer, messagesStream } from './anthropic.ts'
import { answerConverse, checkSignature, converseAnswer, converseStream } from './bedrock.ts'
import { answerGemini, geminiAnswer, geminiEmbeddings, geminiStream } from './gemini.ts'
import { must, Refused } from './mind.ts'
import {
  answerChat,
  answerResponses,
  chatAnswer,
  chatStream,
  embeddingsAnswer,
  responsesAnswer,
  responsesStream,
} from './openai.ts'

export const UPSTREAM_KEY = 'the-key-of-the-vendor'

interface Given {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

interface Reply {
  readonly stream?: string
  readonly body: string | Buffer
}

export interface VendorServer {
  readonly origin: string
  /** Which APIs were asked, in turn. */
  readonly asked: string[]
  /** What was refused, and why. */
  readonly refused: readonly string[]
  stop(): Promise<void>
}

export async function startVendors(): Promise<VendorServer> {
  const asked: string[] = []
  const refused: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const path = request.url ?? ''
      const body = Buffer.concat(chunks)
      asked.push(path)
      let reply: Reply
      try {
        reply = answer({ path, headers: request.headers, body })
      } catch (error) {
        if (!(error instanceof Refused) && !(error instanceof ZodError)) throw error
        const why = error instanceof ZodError ? JSON.stringify(error.issues.slice(0, 3)) : error.message
        refused.push(`${path}: ${why} in ${body.toString('utf8').slice(0, 1_500)}`)
        return refuse(response, path, why)
      }
      await send(response, reply)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    refused,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const SSE = 'text/event-stream'

/** Throws Refused or ZodError. */
function answer({ path, headers, body }: Given): Reply {
  const json: unknown = JSON.parse(body.toString('utf8'))
  if (path.startsWith('/bedrock/')) {
    checkSignature(UPSTREAM_KEY, path, headers, body)
    const said = answerConverse(json)
    return path.endsWith('/converse-stream')
      ? { stream: 'application/vnd.amazon.eventstream', body: converseStream(said) }
      : { body: converseAnswer(said) }
  }
  if (path.startsWith('/gemini/v1beta/models/')) {
    must(headers['x-goog-api-key'] === UPSTREAM_KEY, 'API key not valid')
    if (path.endsWith(':batchEmbedContents')) return { body: geminiEmbeddings(json) }
    const said = answerGemini(json)
    return path.endsWith(':streamGenerateContent?alt=sse')
      ? { stream: SSE, body: geminiStream(said) }
      : { body: geminiAnswer(said) }
  }
  if (path === '/anthropic/v1/messages') {
    must(headers['x-api-key'] === UPSTREAM_KEY, 'invalid x-api-key')
    must(typeof headers['anthropic-version'] === 'string', 'anthropic-version: header is required')
    const { answer, stream } = answerMessages(json)
    return stream ? { stream: SSE, body: messagesStream(answer) } : { body: messagesAnswer(answer) }
  }
  if (path.startsWith('/azure/')) must(headers['api-key'] === UPSTREAM_KEY, 'Access denied due to invalid key')
  else must(headers.authorization === `Bearer ${UPSTREAM_KEY}`, 'Incorrect API key provided')
  const end = path.replace(/^\/(?:openai|azure\/openai)\/v1/, '')
  if (end === '/embeddings') return { body: embeddingsAnswer(json) }
  if (end === '/responses') {
    const { answer, stream, reasons } = answerResponses(json)
    return stream ? { stream: SSE, body: responsesStream(answer, reasons) } : { body: responsesAnswer(answer, reasons) }
  }
  must(end === '/chat/completions', `there is nothing at ${path}`)
  const { answer, stream, usage } = answerChat(json)
  return stream ? { stream: SSE, body: chatStream(answer, usage) } : { body: chatAnswer(answer) }
}

/** A stream comes in pieces that fit no event. */
const PIECE_BYTES = 173

async function send(response: ServerResponse, { stream, body }: Reply): Promise<void> {
  response.writeHead(200, { 'content-type': stream ?? 'application/json' })
  const bytes = Buffer.from(body)
  if (stream === undefined) return void response.end(bytes)
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    response.write(bytes.subarray(at, at + PIECE_BYTES))
    await nextTurn()
  }
  response.end()
}

function refuse(response: ServerResponse, path: string, message: string): void {
  const body = path.startsWith('/bedrock/')
    ? { message }
    : path.startsWith('/gemini/')
      ? { error: { code: 400, message, status: 'INVALID_ARGUMENT' } }
      : path.startsWith('/anthropic/')
        ? { type: 'error', error: { type: 'invalid_request_error', message } }
        : { error: { message, type: 'invalid_request_error', param: null, code: null } }
  response.writeHead(400, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
