// A provider for tests: a real HTTP server that can also misbehave down to the socket.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Asked {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly raw: string
  readonly body: Record<string, unknown>
  /** Counts from 1. */
  readonly call: number
  /** Resolves when the gateway hangs up. */
  readonly hungUp: Promise<void>
}

export type Behaviour = (asked: Asked) => Promise<void> | void

export interface Upstream {
  readonly baseUrl: string
  readonly asked: readonly Asked[]
  behave(behaviour: Behaviour): void
  /** Resolves when the call with this number has arrived. */
  arrived(call: number): Promise<Asked>
  stop(): Promise<void>
}

export async function startUpstream(first: Behaviour = answers('Hello')): Promise<Upstream> {
  let behaviour = first
  const asked: Asked[] = []
  const waiting: { call: number; resolve: (asked: Asked) => void }[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const raw = Buffer.concat(chunks).toString('utf8')
      const one: Asked = {
        request,
        response,
        raw,
        body: JSON.parse(raw) as Record<string, unknown>,
        call: asked.length + 1,
        hungUp: new Promise((resolve) => response.once('close', () => resolve())),
      }
      asked.push(one)
      for (const { call, resolve } of waiting) if (call === one.call) resolve(one)
      await behaviour(one)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    behave: (next) => {
      behaviour = next
    },
    arrived: (call) => {
      const there = asked[call - 1]
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.push({ call, resolve }))
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const USAGE = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 }

/** A chunk of a stream, as one event. */
export const chunk = (delta: Record<string, unknown>, more: Record<string, unknown> = {}): string =>
  event({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'gpt-real',
    choices: [{ index: 0, delta, finish_reason: null, ...more }],
  })

export const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

export const DONE = 'data: [DONE]\n\n'

export const usageChunk = (usage: Record<string, unknown> = USAGE): string =>
  event({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-real', choices: [], usage })

/** The events of a good stream that says these words. */
export const goodStream = (...words: string[]): string[] => [
  chunk({ role: 'assistant', content: '' }),
  ...words.map((word) => chunk({ content: word })),
  chunk({}, { finish_reason: 'stop' }),
  usageChunk(),
  DONE,
]

export const plainAnswer = (content: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'gpt-real',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: USAGE,
    ...more,
  })

/** Behaves well: streams or answers plainly, as asked. */
export const answers =
  (...words: string[]): Behaviour =>
  ({ body, response }) => {
    if (body['stream'] === true) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(goodStream(...words).join(''))
    } else {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(plainAnswer(words.join('')))
    }
  }

export const answersStatus =
  (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour =>
  ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

/** Sends these events, then leaves the response to what comes next. */
export async function stream(response: ServerResponse, events: readonly (string | Uint8Array)[]): Promise<void> {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.socket?.setNoDelay(true)
  for (const one of events) {
    response.write(one)
    await nextTurn()
  }
}

/** Breaks the connection after those events: an orderly end never comes. */
export const cutsAfter =
  (...events: string[]): Behaviour =>
  async ({ response }) => {
    await stream(response, events)
    response.socket?.resetAndDestroy()
  }
