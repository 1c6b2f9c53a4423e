import Anthropic from '@anthropic-ai/sdk'
import { createAnthropic } from '@ai-sdk/anthropic'
import { ChatAnthropic } from '@langchain/anthropic'
import { streamText, tool } from 'ai'
import OpenAI from 'openai'
import { z } from 'zod'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKey } from '../../access/keys.ts'
import { systemClock } from '../../core/clock.ts'
import { checkStream, recordedAnswer, recordedStream } from '../../dialects/anthropic-messages/testing/recorded.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { chunk, DONE, startUpstream, type Upstream, usageChunk } from '../../gateway/testing/upstream.ts'

let anthropic: Upstream
let openai: Upstream
let stack: Stack
let client: Anthropic
let key: string

beforeEach(async () => {
  anthropic = await startUpstream()
  openai = await startUpstream()
  stack = await startStack({
    yaml: `
providers:
  claude: { kind: anthropic, baseUrl: "${anthropic.baseUrl}", apiKey: sk-ant-secret }
  gpt: { kind: openai, baseUrl: "${openai.baseUrl}", apiKey: sk-secret }
models:
  opus: { targets: [{ provider: claude, model: claude-opus-4-6 }] }
  gpt: { targets: [{ provider: gpt, model: gpt-real }], retries: { max: 0 } }
  old: { targets: [{ provider: claude, model: claude-haiku-4-5 }] }
  both: { targets: [{ provider: gpt, model: gpt-real }, { provider: claude, model: claude-opus-4-6 }] }
  safe: { targets: [{ provider: claude, model: claude-opus-4-6 }, { provider: gpt, model: gpt-real }] }
`,
  })
  const made = await createKey(stack.access, { tenant: 'default', name: 'tests', scopes: ['llm:chat'] }, systemClock)
  key = made.key
  client = new Anthropic({ baseURL: stack.url, apiKey: key, maxRetries: 0 })
})

afterEach(async () => {
  await stack.stop()
  await anthropic.stop()
  await openai.stop()
})

const streams = (bytes: Buffer | string) => (upstream: Upstream) =>
  upstream.behave(({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(bytes)
  })

const answers =
  (status: number, body: object | Buffer, headers: Record<string, string> = {}) =>
  (upstream: Upstream) =>
    upstream.behave(({ response }) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body))
    })

const HI = { max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hi' }] }

const post = (body: object, headers: Record<string, string> = {}) =>
  fetch(`${stack.url}/v1/messages`, { method: 'POST', headers, body: JSON.stringify({ ...HI, ...body }) })

const anthropicError = (type: string, message = 'No') => ({ type: 'error', error: { type, message } })

describe('with Anthropic behind it', () => {
  test.each(['text', 'clear-thinking.1', 'web-fetch-tool.1', 'code-execution-20250825.1'])(
    '%s passes byte for byte',
    async (name) => {
      streams(recordedStream(name))(anthropic)
      const response = await post({ model: 'opus', stream: true })
      expect(Buffer.from(await response.arrayBuffer()).equals(recordedStream(name))).toBe(true)
      expect(response.headers.get('request-id')).toBe(response.headers.get('x-request-id'))
    },
  )

  test('a plain answer passes byte for byte, and its usage is on record', async () => {
    answers(200, recordedAnswer('text'))(anthropic)
    const response = await post({ model: 'opus' })
    expect(Buffer.from(await response.arrayBuffer()).equals(recordedAnswer('text'))).toBe(true)
    expect((await stack.rows())[0]).toMatchObject({
      endpoint: '/v1/messages',
      outcome: 'served',
      input_tokens: 12,
      usage_source: 'measured',
    })
  })

  test('the version and the betas that the caller names go up, and its key does not', async () => {
    answers(200, recordedAnswer('text'))(anthropic)
    await client.beta.messages.create(
      { ...HI, model: 'opus', betas: ['context-1m-2025-08-07'] },
      { headers: { 'anthropic-version': '2026-10-21' } },
    )
    const { headers, url } = anthropic.asked[0]?.request ?? {}
    expect(url).toBe('/v1/messages')
    expect(headers).toMatchObject({
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'context-1m-2025-08-07',
      'x-api-key': 'sk-ant-secret',
    })
    expect(headers).not.toHaveProperty('authorization')
  })

  test('its SDK reads a stream with thinking', async () => {
    streams(recordedStream('clear-thinking.1'))(anthropic)
    const message = await client.messages.stream({ ...HI, model: 'opus' }).finalMessage()
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text'])
    expect(message.stop_reason).toBe('end_turn')
  })

  test('what it says of a request is told in its own words, and the SDK throws its own error', async () => {
    const said = anthropicError('invalid_request_error', 'max_tokens: 50 is too odd')
    answers(400, said)(anthropic)
    const response = await post({ model: 'opus' })
    expect([response.status, await response.json()]).toEqual([400, said])
    await expect(client.messages.create({ ...HI, model: 'opus' })).rejects.toThrow(Anthropic.BadRequestError)
  })

  test('an error inside a stream is passed, and the SDK throws it', async () => {
    const [start = '', open = '', ping = '', delta = ''] = recordedStream('text')
      .toString()
      .split(/(?<=\n\n)/)
    const fault = `event: error\ndata: ${JSON.stringify(anthropicError('overloaded_error', 'Overloaded'))}\n\n`
    streams(start + open + ping + delta + fault)(anthropic)
    const text = await (await post({ model: 'opus', stream: true }, { 'x-midwatch-on-cut': 'fail' })).text()
    expect(text).toBe(start + open + ping + delta + fault)
    expect(checkStream(Buffer.from(text))).toBeNull()
    await expect(
      client.messages.stream({ ...HI, model: 'opus' }, { headers: { 'x-midwatch-on-cut': 'fail' } }).finalMessage(),
    ).rejects.toMatchObject({ type: 'overloaded_error' })
  })

  test('a stream that is cut ends with an error of its dialect, and never cleanly', async () => {
    const whole = recordedStream('text')
    streams(whole.subarray(0, whole.indexOf('event: content_block_stop')))(anthropic)
    const text = await (await post({ model: 'opus', stream: true }, { 'x-midwatch-on-cut': 'fail' })).text()
    expect(text).not.toContain('message_stop')
    expect(text).toContain('event: error\ndata: {"type":"error","error":{"type":"api_error"')
    expect(checkStream(Buffer.from(text))).toBeNull()
  })

  test('a stream that said all and lacks its end mark gets one', async () => {
    const whole = recordedStream('text')
    streams(whole.subarray(0, whole.indexOf('event: message_stop')))(anthropic)
    expect(await (await post({ model: 'opus', stream: true })).text()).toBe(whole.toString())
  })

  test('an overloaded provider is failed over, also where it says so under 200 before any content', async () => {
    answers(200, { id: 'c', model: 'gpt-real', choices: [{ message: { content: 'Yes' }, finish_reason: 'stop' }] })(
      openai,
    )
    answers(529, anthropicError('overloaded_error'))(anthropic)
    expect(await client.messages.create({ ...HI, model: 'safe' })).toMatchObject({
      content: [{ type: 'text', text: 'Yes' }],
      stop_reason: 'end_turn',
    })
    streams([chunk({ content: 'Yes' }), chunk({}, { finish_reason: 'stop' }), usageChunk(), DONE].join(''))(openai)
    const [start = ''] = recordedStream('text')
      .toString()
      .split(/(?<=\n\n)/)
    streams(`${start}event: error\ndata: ${JSON.stringify(anthropicError('overloaded_error'))}\n\n`)(anthropic)
    const message = await client.messages.stream({ ...HI, model: 'safe' }).finalMessage()
    expect(message).toMatchObject({ content: [{ type: 'text', text: 'Yes' }], usage: { input_tokens: 12 } })
  })

  test('an answer that breaks off is gone on with elsewhere, in the blocks that the caller has', async () => {
    const thinking = recordedStream('clear-thinking.1')
    streams(thinking.subarray(0, thinking.indexOf('"text":" ÷ 5 "')))(anthropic)
    streams(
      [chunk({ content: '925' }), chunk({ content: ' ÷ 5 = 185' }), chunk({}, { finish_reason: 'stop' }), DONE].join(
        '',
      ),
    )(openai)
    const text = await (await post({ model: 'safe', stream: true })).text()
    expect(checkStream(Buffer.from(text))).toBeNull()
    const message = await client.messages.stream({ ...HI, model: 'safe' }).finalMessage()
    expect(message.content).toMatchObject([
      { type: 'thinking', signature: expect.stringMatching(/^EvQB/) as string },
      { type: 'text', text: '925 ÷ 5 = 185' },
    ])
    expect(message.stop_reason).toBe('end_turn')
  })

  test('a target that takes a prefill goes on behind what was said', async () => {
    const whole = recordedStream('text').toString()
    const cut = whole.slice(0, whole.indexOf('"text":". How are'))
    let calls = 0
    anthropic.behave(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(++calls === 1 ? cut : whole.replace(/"text":"[^"]+"/g, '"text":"."'))
    })
    const message = await client.messages.stream({ ...HI, model: 'old' }).finalMessage()
    expect(anthropic.asked[1]?.body['messages']).toEqual([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [{ type: 'text', text: "Hello! I'm doing well, thank you for asking" }] },
    ])
    expect(message.content).toMatchObject([{ type: 'text', text: "Hello! I'm doing well, thank you for asking......" }])
  })

  test('tokens are counted by it, for nothing', async () => {
    answers(200, { input_tokens: 14 })(anthropic)
    expect(await client.messages.countTokens({ model: 'opus', messages: HI.messages })).toMatchObject({
      input_tokens: 14,
    })
    expect(anthropic.asked[0]?.request.url).toBe('/v1/messages/count_tokens')
    expect((await stack.rows())[0]).toMatchObject({ endpoint: '/v1/messages/count_tokens', input_tokens: 0 })
  })

  test('what only Anthropic has goes to Anthropic, whoever else is first', async () => {
    answers(200, recordedAnswer('text'))(anthropic)
    const tools = [{ type: 'web_search_20250305' as const, name: 'web_search' as const }]
    await client.messages.create({ ...HI, model: 'both', tools })
    expect([openai.asked.length, anthropic.asked.length]).toEqual([0, 1])
    await expect(client.messages.create({ ...HI, model: 'gpt', tools })).rejects.toMatchObject({ status: 400 })
  })
})

describe('with another provider behind it', () => {
  const call = (index: number, more: object) => chunk({ tool_calls: [{ index, ...more }] })
  const TOOLS = [
    chunk({ role: 'assistant', content: 'Let me look.' }),
    call(0, { id: 'call_a', type: 'function', function: { name: 'search', arguments: '' } }),
    call(0, { function: { arguments: '{"q":' } }),
    call(0, { function: { arguments: '"é漢🌊"}' } }),
    call(1, { id: 'call_b', type: 'function', function: { name: 'open', arguments: '{}' } }),
    chunk({}, { finish_reason: 'tool_calls' }),
    usageChunk({ prompt_tokens: 20, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 8 } }),
    DONE,
  ].join('')

  test('the SDK reads parallel tool calls, each block opened and stopped once', async () => {
    streams(TOOLS)(openai)
    const text = await (await post({ model: 'gpt', stream: true })).text()
    expect(checkStream(Buffer.from(text))).toBeNull()
    const message = await client.messages.stream({ ...HI, model: 'gpt' }).finalMessage()
    expect(message.content).toMatchObject([
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'call_a', name: 'search', input: { q: 'é漢🌊' } },
      { type: 'tool_use', id: 'call_b', name: 'open', input: {} },
    ])
    expect(message).toMatchObject({
      stop_reason: 'tool_use',
      usage: { input_tokens: 12, cache_read_input_tokens: 8, output_tokens: 9 },
    })
  })

  test('the provider’s refusal of the request is told in Anthropic’s shape', async () => {
    answers(400, { error: { message: 'temperature is odd', type: 'invalid_request_error', param: null, code: null } })(
      openai,
    )
    const response = await post({ model: 'gpt' })
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        type: 'error',
        error: { type: 'invalid_request_error', message: 'temperature is odd' },
        request_id: response.headers.get('request-id'),
      },
    ])
  })

  test('a rate limit is told with how long to wait', async () => {
    answers(429, { error: { message: 'slow down', type: 'x' } }, { 'retry-after': '7' })(openai)
    const response = await post({ model: 'gpt' })
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7'])
    expect(await response.json()).toMatchObject({ error: { type: 'rate_limit_error' } })
  })

  test('tokens are estimated, and the answer says so', async () => {
    const { data, response } = await client.messages
      .countTokens({ model: 'gpt', messages: [{ role: 'user', content: 'x'.repeat(350) }] })
      .withResponse()
    expect(data).toMatchObject({ input_tokens: 100 })
    expect(response.headers.get('x-midwatch-estimated')).toBe('true')
    expect(openai.asked).toHaveLength(0)
    await expect(client.messages.countTokens({ model: 'nobody', messages: HI.messages })).rejects.toThrow(
      Anthropic.NotFoundError,
    )
  })
})

describe('an OpenAI client with Anthropic behind it', () => {
  const ask = () => new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 })
  const chat = { model: 'opus', messages: [{ role: 'user' as const, content: 'Hi' }] }

  test('gets text, a limit that it never set, and usage with cached tokens in it', async () => {
    streams(recordedStream('text'))(anthropic)
    const answer = await ask().chat.completions.create({
      ...chat,
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let usage: OpenAI.CompletionUsage | null | undefined
    for await (const part of answer) {
      text += part.choices[0]?.delta.content ?? ''
      usage = part.usage ?? usage
    }
    expect(text).toContain("Hello! I'm doing well")
    expect(usage).toMatchObject({ prompt_tokens: 12, completion_tokens: 30 })
    expect(anthropic.asked[0]?.body).toMatchObject({ max_tokens: 128_000, model: 'claude-opus-4-6' })
  })

  test('gets tool calls, and nothing of the tools that the provider ran itself', async () => {
    streams(recordedStream('tool-no-args'))(anthropic)
    const answer = await ask().chat.completions.stream(chat).finalChatCompletion()
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'updateIssueList', arguments: '{}' } }] },
    })
    streams(recordedStream('code-execution-20250825.1'))(anthropic)
    const other = await ask().chat.completions.stream(chat).finalChatCompletion()
    expect(other.choices[0]?.message.tool_calls ?? []).toEqual([])
    expect(other.choices[0]?.message.content).toContain('34')
  })

  test('is told of errors in its own shape', async () => {
    answers(400, anthropicError('invalid_request_error', 'prompt is too long: 9 > 8'))(anthropic)
    await expect(ask().chat.completions.create(chat)).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      message: expect.stringContaining('prompt is too long') as string,
    })
    answers(400, anthropicError('invalid_request_error', 'Your credit balance is too low'))(anthropic)
    const error: unknown = await ask()
      .chat.completions.create(chat)
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ status: 502 })
    expect(JSON.stringify(error)).not.toContain('credit')
  })
})

describe('the clients of others', () => {
  test('the Vercel AI SDK streams tool calls, with Anthropic behind it and with another', async () => {
    const models = createAnthropic({ baseURL: `${stack.url}/v1`, apiKey: key })
    const tools = {
      weather: tool({ inputSchema: z.object({ location: z.string() }) }),
      search: tool({ inputSchema: z.object({ q: z.string() }) }),
    }
    streams(recordedStream('json-other-tool.1'))(anthropic)
    const verbatim = streamText({ model: models('opus'), prompt: 'Hi', tools })
    expect(await verbatim.toolCalls).toMatchObject([{ toolName: 'weather', input: { location: 'San Francisco' } }])
    streams(
      [
        chunk({ content: 'Well' }),
        chunk({
          tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'search', arguments: '{"q":"é"}' } }],
        }),
        chunk({}, { finish_reason: 'tool_calls' }),
        usageChunk(),
        DONE,
      ].join(''),
    )(openai)
    const translated = streamText({ model: models('gpt'), prompt: 'Hi', tools })
    expect(await translated.text).toBe('Well')
    expect(await translated.toolCalls).toMatchObject([{ toolName: 'search', input: { q: 'é' } }])
    expect(await translated.finishReason).toBe('tool-calls')
  })

  test('LangChain.js streams text and tool calls', async () => {
    const model = new ChatAnthropic({ anthropicApiUrl: stack.url, apiKey: key, model: 'gpt', maxRetries: 0 })
    streams([chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, { finish_reason: 'stop' }), DONE].join(''))(
      openai,
    )
    let text = ''
    for await (const part of await model.stream('Hi')) text += part.text
    expect(text).toBe('Hello')
  })
})

describe('before any handler', () => {
  test.each([
    ['/v1/messages', { body: '{"model":"opus","messages":[]}' }, 400, 'invalid_request_error'],
    [
      '/v1/messages',
      { body: '{"model":"opus","messages":[{"role":"user","content":"x"}]}' },
      400,
      'invalid_request_error',
    ],
    ['/v1/messages', { body: JSON.stringify({ ...HI, model: 'nobody' }) }, 404, 'not_found_error'],
    ['/v1/messages', { body: 'x'.repeat(33 * 1024 * 1024) }, 413, 'request_too_large'],
    ['/v1/messages/nothing', { body: '{}' }, 404, 'not_found_error'],
    ['/v1/models/nobody', { method: 'GET', headers: { 'anthropic-version': '1' } }, 404, 'not_found_error'],
  ])('%s: an error has Anthropic’s shape (%#)', async (path, init, status, type) => {
    const response = await fetch(`${stack.url}${path}`, { method: 'POST', ...init })
    expect([response.status, await response.json()]).toMatchObject([
      status,
      { type: 'error', error: { type }, request_id: response.headers.get('request-id') },
    ])
  })

  test('a missing max_tokens is named', async () => {
    const response = await post({ model: 'opus', max_tokens: undefined })
    expect(await response.text()).toContain('max_tokens')
  })

  test('its SDK lists the models', async () => {
    const ids: string[] = []
    for await (const { id } of client.models.list({ limit: 2 })) ids.push(id)
    expect(ids).toEqual(['opus', 'gpt', 'old', 'both', 'safe'])
    expect(await client.models.retrieve('opus')).toMatchObject({ id: 'opus', type: 'model' })
  })
})

test('a key is needed, by x-api-key', async () => {
  const locked = await startStack({ yaml: '', auth: 'required' })
  const response = await fetch(`${locked.url}/v1/messages`, {
    method: 'POST',
    body: '{}',
    headers: { 'x-api-key': 'no' },
  })
  expect([response.status, await response.json()]).toMatchObject([401, { error: { type: 'authentication_error' } }])
  await locked.stop()
})
