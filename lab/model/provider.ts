// The scripted stand-in for a model provider: the OpenAI dialect, streaming and not, with usage numbers. Its answers
// say that no model is behind them. It fails when told to.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { z } from 'zod'
import { listen } from '../shop/http-service.ts'
import { runChild } from '../shop/child.ts'
import { pause } from '../shop/pause.ts'
import { scriptedAnswer } from './answer.ts'

const part = z.object({ type: z.string(), text: z.string().optional() })
const chat = z.object({
  model: z.string(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  response_format: z.object({ type: z.string(), json_schema: z.object({ schema: z.unknown() }).nullish() }).nullish(),
  messages: z.array(z.object({ role: z.string(), content: z.union([z.string(), z.array(part), z.null()]).optional() })),
})
type Chat = z.infer<typeof chat>

const THINK_MS = 60
const WORD_MS = 4

runChild(async () => {
  let failing = { share: 0, status: 500 }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const fail = (status: number, type: string, message: string) =>
      void json(status, { error: { message, type, param: null, code: null } })

    if (request.method === 'GET' && request.url === '/v1/models')
      return void json(200, {
        object: 'list',
        data: [{ id: 'scripted', object: 'model', owned_by: 'lab', created: 0 }],
      })
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions')
      return fail(404, 'invalid_request_error', 'There is only POST /v1/chat/completions here.')
    const body = await readBody(request)
    if (Math.random() < failing.share) {
      await pause(THINK_MS)
      return failing.status === 429
        ? fail(429, 'rate_limit_error', 'Rate limit reached for requests per minute.')
        : fail(failing.status, 'server_error', 'The server had an error while processing your request.')
    }
    const parsed = chat.safeParse(body)
    if (!parsed.success) return fail(400, 'invalid_request_error', parsed.error.issues[0]?.message ?? 'not understood')
    await pause(THINK_MS)
    await complete(parsed.data, response)
  }

  const port = await listen(server, 0)
  return {
    ports: { 'model-provider': port },
    trouble: (trouble) => {
      failing = trouble.kind === 'failing-answers' ? trouble : { share: 0, status: 500 }
    },
    drain: async () => void server.close(),
  }
})

async function readBody(request: IncomingMessage): Promise<unknown> {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) text += String(chunk)
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function complete(asked: Chat, response: ServerResponse): Promise<void> {
  const textOf = ({ content }: Chat['messages'][number]) =>
    typeof content === 'string' ? content : (content ?? []).map((piece) => piece.text ?? '').join(' ')
  const prompt = asked.messages.map(textOf).join('\n')
  const text = scriptedAnswer(
    asked.messages.findLast((message) => message.role === 'user') ? prompt : '',
    asked.response_format,
  )
  const usage = { prompt_tokens: countTokens(prompt), completion_tokens: countTokens(text), total_tokens: 0 }
  usage.total_tokens = usage.prompt_tokens + usage.completion_tokens
  const head = { id: `chatcmpl-${Date.now().toString(36)}`, created: Math.floor(Date.now() / 1000), model: 'scripted' }

  if (!asked.stream) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        ...head,
        object: 'chat.completion',
        choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
        usage,
      }),
    )
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  const chunk = (choices: unknown[], extra = {}) =>
    response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...extra })}\n\n`)
  chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])
  for (const word of text.match(/\S+\s*/g) ?? []) {
    if (response.destroyed) return
    chunk([{ index: 0, delta: { content: word }, finish_reason: null }])
    await pause(WORD_MS)
  }
  chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])
  if (asked.stream_options?.include_usage) chunk([], { usage })
  response.end('data: [DONE]\n\n')
}

/** About four characters a token: near enough for a stand-in. */
const countTokens = (text: string): number => Math.max(1, Math.ceil(text.length / 4))
