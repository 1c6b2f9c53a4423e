import { createOpenAI } from '@ai-sdk/openai'
import { ChatOpenAI } from '@langchain/openai'
import { streamText, tool } from 'ai'
import OpenAI from 'openai'
import { z } from 'zod'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKey } from '../../access/keys.ts'
import { systemClock } from '../../core/clock.ts'
import { recordedStream } from '../../dialects/anthropic-messages/testing/recorded.ts'
import { openAiResponses } from '../../dialects/openai-responses/dialect.ts'
import { recorded, sseOf } from '../../dialects/testing/answers.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import { chunk, DONE, startUpstream, type Upstream, usageChunk } from '../../gateway/testing/upstream.ts'

let openai: Upstream
let vllm: Upstream
let claude: Upstream
let stack: Stack
let client: OpenAI
let key: string

beforeEach(async () => {
  ;[openai, vllm, claude] = await Promise.all([startUpstream(), startUpstream(), startUpstream()])
  stack = await startStack({
    yaml: `
providers:
  openai: { kind: openai, baseUrl: "${openai.baseUrl}", apiKey: sk-secret, api: responses }
  vllm: { kind: openai, baseUrl: "${vllm.baseUrl}" }
  claude: { kind: anthropic, baseUrl: "${claude.baseUrl}", apiKey: sk-ant-secret }
models:
  own: { targets: [{ provider: openai, model: gpt-5-nano }], retries: { max: 0 } }
  chat: { targets: [{ provider: vllm, model: qwen }], retries: { max: 0 } }
  opus: { targets: [{ provider: claude, model: claude-opus-4-6 }], retries: { max: 0 } }
  safe: { targets: [{ provider: openai, model: gpt-5-nano }, { provider: vllm, model: qwen }], retries: { max: 0 } }
`,
  })
  const made = await createKey(stack.access, { tenant: 'default', name: 'tests', scopes: ['llm:chat'] }, systemClock)
  key = made.key
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 })
})

afterEach(async () => {
  await stack.stop()
  await Promise.all([openai, vllm, claude].map((upstream) => upstream.stop()))
})

const streams = (upstream: Upstream, bytes: Buffer | string) =>
  upstream.behave(({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(bytes)
  })
const answers = (upstream: Upstream, status: number, body: object | Buffer) =>
  upstream.behave(({ response }) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body))
  })
const post = (body: object, path = '') =>
  fetch(`${stack.url}/v1/responses${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ input: 'Hi', ...body }),
  })
const error = (type: string, code: string | null = null) => ({ error: { message: 'No', type, param: null, code } })

const file = (name: string) => recorded(`openai-responses/${name}`, true)
const TWO_CALLS = [
  chunk({ role: 'assistant', content: '', reasoning_content: 'Two at once.' }),
  chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'weather', arguments: '' } }] }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":"Oslo"}' } }] }),
  chunk({
    tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
  }),
  chunk({}, { finish_reason: 'tool_calls' }),
  usageChunk(),
  DONE,
].join('')
const WEATHER = {
  type: 'function' as const,
  name: 'weather',
  strict: false,
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
}

describe('with Responses behind it', () => {
  test.each(['azure-text', 'azure-tool-call', 'provider-run-shell', 'reasoning'])(
    '%s passes byte for byte',
    async (name) => {
      const bytes = file(`${name}.chunks.txt`)
      streams(openai, bytes)
      const response = await post({
        model: 'own',
        stream: true,
        tools: [{ type: 'web_search' }],
        previous_response_id: 'r',
      })
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
      expect(openai.asked[0]?.body).toMatchObject({
        model: 'gpt-5-nano',
        tools: [{ type: 'web_search' }],
        previous_response_id: 'r',
      })
    },
  )

  test('a plain answer passes byte for byte, and its usage is on record', async () => {
    const bytes = recorded('openai-responses/azure-text.json')
    answers(openai, 200, bytes)
    const response = await post({ model: 'own' })
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
    const rows = await stack.rows()
    expect(rows).toMatchObject([{ endpoint: '/v1/responses', outcome: 'served', usage_source: 'measured' }])
  })

  test('a refusal of the request comes in its own words', async () => {
    answers(openai, 400, error('invalid_request_error', 'invalid_value'))
    const response = await post({ model: 'own' })
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual(error('invalid_request_error', 'invalid_value'))
  })

  test('a stream that is cut before its last event ends as an error', async () => {
    const bytes = file('azure-text.chunks.txt')
    streams(openai, bytes.subarray(0, bytes.lastIndexOf('event: response.output_text.done')))
    const told = sseOf(Buffer.from(await (await post({ model: 'own', stream: true })).arrayBuffer()))
    expect(told.at(-1)).toMatchObject({ event: 'error', data: { type: 'error', code: 'upstream' } })
  })
})

test('a caller of chat is served by a provider that has only Responses', async () => {
  streams(openai, file('azure-tool-call.chunks.txt'))
  const stream = client.chat.completions.stream({
    model: 'own',
    messages: [{ role: 'user', content: 'Weather?' }],
    tools: [{ type: 'function', function: { name: 'weather', parameters: WEATHER.parameters } }],
    stream_options: { include_usage: true },
  })
  const completion = await stream.finalChatCompletion()
  expect(completion.choices).toMatchObject([
    {
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { name: 'weather', arguments: '{"location":"San Francisco"}' } }] },
    },
  ])
  expect(completion.usage?.total_tokens).toBeGreaterThan(0)
  expect(openai.asked[0]?.body).toMatchObject({ store: false, tools: [{ name: 'weather', strict: false }] })
})

describe('with chat behind it', () => {
  test('the SDK reads a stream with reasoning and two calls at once, and answers them', async () => {
    streams(vllm, TWO_CALLS)
    const stream = client.responses.stream({
      model: 'chat',
      input: 'Weather?',
      tools: [WEATHER],
      instructions: 'Be brief.',
    })
    const args: string[] = []
    stream.on('response.function_call_arguments.delta', ({ delta }) => args.push(delta))
    const response = await stream.finalResponse()
    expect(args).toEqual(['{"city":"Oslo"}', '{"city":"Rome"}'])
    expect(response.output).toMatchObject([
      { type: 'reasoning', summary: [{ text: 'Two at once.' }] },
      { type: 'function_call', call_id: 'a', name: 'weather', arguments: '{"city":"Oslo"}' },
      { type: 'function_call', call_id: 'b', name: 'weather', arguments: '{"city":"Rome"}' },
    ])
    expect(response).toMatchObject({
      status: 'completed',
      usage: { input_tokens: 12, output_tokens: 5, total_tokens: 17 },
    })

    answers(vllm, 200, {
      id: 'c',
      model: 'qwen',
      created: 1,
      choices: [{ index: 0, message: { role: 'assistant', content: 'Cold and warm.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    })
    const outputs = ['a', 'b'].map((call_id) => ({
      type: 'function_call_output' as const,
      call_id,
      output: `${call_id}!`,
    }))
    const next = await client.responses.create({
      model: 'chat',
      input: [
        { role: 'user', content: 'Weather?' },
        ...(response.output as OpenAI.Responses.ResponseInputItem[]),
        ...outputs,
      ],
      tools: [WEATHER],
    })
    expect(next.output_text).toBe('Cold and warm.')
    expect(vllm.asked[1]?.body).toMatchObject({
      model: 'qwen',
      messages: [
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: null, tool_calls: [{ id: 'a' }, { id: 'b' }] },
        { role: 'tool', tool_call_id: 'a', content: 'a!' },
        { role: 'tool', tool_call_id: 'b', content: 'b!' },
      ],
    })
  })

  test('every stream keeps to the grammar', async () => {
    for (const bytes of [TWO_CALLS, recorded('openai-chat/mistral-reasoning.chunks.txt')]) {
      streams(vllm, bytes)
      const response = await post({ model: 'chat', stream: true })
      const checker = openAiResponses.createChecker()
      for (const { event, data } of sseOf(Buffer.from(await response.arrayBuffer()))) {
        expect(checker.see(event, data)).toBeNull()
      }
      expect(checker.end()).toBeNull()
    }
  })

  test('what only a provider with Responses can do is refused by its name, and nobody is asked', async () => {
    const response = await post({ model: 'chat', previous_response_id: 'resp_1' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringMatching(/previous_response_id.*speaks Responses itself/) as string },
    })
    expect(vllm.asked).toHaveLength(0)
  })

  test('what only a provider with Responses can do goes to that one alone', async () => {
    answers(openai, 503, error('server_error'))
    const response = await post({ model: 'safe', tools: [{ type: 'web_search' }] })
    expect(response.status).toBe(502)
    expect(vllm.asked).toHaveLength(0)
  })

  test('a provider with Responses that fails is replaced by one without', async () => {
    answers(openai, 503, error('server_error'))
    streams(vllm, [chunk({ role: 'assistant', content: 'Hello' }), chunk({}, { finish_reason: 'stop' }), DONE].join(''))
    const response = await client.responses.stream({ model: 'safe', input: 'Hi' }).finalResponse()
    expect(response.output_text).toBe('Hello')
  })
})

describe('with Anthropic behind it', () => {
  test('the SDK reads text, and what was cached is within the input', async () => {
    streams(claude, recordedStream('text'))
    const response = await client.responses.stream({ model: 'opus', input: 'Hi' }).finalResponse()
    expect(response.output_text.length).toBeGreaterThan(0)
    expect(response.usage?.input_tokens).toBeGreaterThan(0)
    expect(claude.asked[0]?.body).toMatchObject({ max_tokens: expect.any(Number) as number })
  })

  test('thinking comes as reasoning, and goes back with its signature', async () => {
    streams(claude, recordedStream('clear-thinking.1'))
    const first = await client.responses
      .stream({ model: 'opus', input: 'Hi', reasoning: { effort: 'high', summary: 'auto' } })
      .finalResponse()
    const [reasoning] = first.output
    expect(reasoning).toMatchObject({
      type: 'reasoning',
      encrypted_content: expect.stringMatching(/^midwatch:signed:anthropic:/) as string,
    })
    streams(claude, recordedStream('text'))
    await client.responses
      .stream({
        model: 'opus',
        input: [
          { role: 'user', content: 'Hi' },
          ...(first.output as OpenAI.Responses.ResponseInputItem[]),
          { role: 'user', content: 'And?' },
        ],
        reasoning: { effort: 'high' },
      })
      .finalResponse()
    const messages = claude.asked[1]?.body['messages'] as {
      role: string
      content: { type: string; signature?: string }[]
    }[]
    const thinking = messages[1]?.content.find(({ type }) => type === 'thinking')
    expect(thinking?.signature?.startsWith('midwatch:')).toBe(false)
    expect(thinking?.signature?.length).toBeGreaterThan(20)
  })
})

test.each([undefined, false])(
  'the Vercel AI SDK streams a call and its result through Responses, store: %s',
  async (store) => {
    let call = 0
    vllm.behave(({ response }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const said = [
        chunk({ role: 'assistant', content: 'Cold and warm.' }),
        chunk({}, { finish_reason: 'stop' }),
        usageChunk(),
        DONE,
      ]
      response.end(call++ === 0 ? TWO_CALLS : said.join(''))
    })
    const provider = createOpenAI({ baseURL: `${stack.url}/v1`, apiKey: key })
    const cities: string[] = []
    const { text } = streamText({
      model: provider.responses('chat'),
      prompt: 'Weather?',
      tools: {
        weather: tool({
          inputSchema: z.object({ city: z.string() }),
          execute: ({ city }) => {
            cities.push(city)
            return `${city}: fine`
          },
        }),
      },
      stopWhen: ({ steps }) => steps.length === 2,
      ...(store === undefined ? {} : { providerOptions: { openai: { store } } }),
    })
    expect(await text).toBe('Cold and warm.')
    expect(cities).toEqual(['Oslo', 'Rome'])
    expect(vllm.asked[1]?.body).toMatchObject({
      messages: [
        { role: 'user' },
        { role: 'assistant', tool_calls: [{ id: 'a' }, { id: 'b' }] },
        { role: 'tool', tool_call_id: 'a' },
        { role: 'tool', tool_call_id: 'b' },
      ],
    })
  },
)

test('a response that was answered here can be gone on with by its id', async () => {
  const said = (text: string) =>
    streams(vllm, [chunk({ role: 'assistant', content: text }), chunk({}, { finish_reason: 'stop' }), DONE].join(''))
  said('One.')
  const first = await client.responses.stream({ model: 'chat', input: 'Count.' }).finalResponse()
  said('Two.')
  await client.responses.stream({ model: 'chat', input: 'Go on.', previous_response_id: first.id }).finalResponse()
  expect(vllm.asked[1]?.body).toMatchObject({
    messages: [
      { role: 'user', content: 'Count.' },
      { role: 'assistant', content: 'One.' },
      { role: 'user', content: 'Go on.' },
    ],
  })
})

test('LangChain.js streams through Responses', async () => {
  streams(
    vllm,
    [
      chunk({ role: 'assistant', content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, { finish_reason: 'stop' }),
      usageChunk(),
      DONE,
    ].join(''),
  )
  const model = new ChatOpenAI({
    model: 'chat',
    apiKey: key,
    useResponsesApi: true,
    configuration: { baseURL: `${stack.url}/v1` },
  })
  let said = ''
  for await (const part of await model.stream('Hi')) said += part.text
  expect(said).toBe('Hello')
})

test('nothing is kept here that could be fetched later', async () => {
  await expect(client.responses.retrieve('resp_1')).rejects.toMatchObject({
    status: 404,
    message: expect.stringMatching(/keeps no responses/) as string,
  })
  await expect(client.responses.cancel('resp_1')).rejects.toMatchObject({ status: 404 })
  await expect(client.responses.delete('resp_1')).rejects.toMatchObject({ status: 404 })
})

test('an error before the answer is in OpenAI’s shape', async () => {
  const response = await post({ model: 'nothing' })
  expect(response.status).toBe(404)
  expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
})
