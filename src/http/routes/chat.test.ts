import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKey } from '../../access/keys.ts'
import { systemClock } from '../../core/clock.ts'
import {
  answers,
  answersStatus,
  chunk,
  DONE,
  event,
  goodStream,
  plainAnswer,
  startUpstream,
  stream,
  type Upstream,
  usageChunk,
} from '../../gateway/testing/upstream.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'

let upstream: Upstream
let stack: Stack

beforeEach(async () => {
  upstream = await startUpstream()
  stack = await startStack({
    yaml: `
providers:
  main: { kind: openai, baseUrl: "${upstream.baseUrl}", apiKey: sk-secret }
models:
  fast:
    targets: [{ provider: main, model: gpt-real, price: { inputUsd: 2, outputUsd: 10 } }]
  unpriced:
    targets: [{ provider: main, model: gpt-real }]
`,
  })
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

describe('a plain answer', () => {
  test('passes byte for byte, with the headers that say who answered at what cost', async () => {
    const odd = ` {"choices":[{"message":{"content":"Hé"}}], "big": 12345678901234567890, "x":1.0,
      "usage":{"prompt_tokens":12,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":2}}}`
    upstream.behave(answersStatus(200, odd))
    const response = await stack.chat({})
    expect(await response.text()).toBe(odd)
    expect(response.status).toBe(200)
    const headers = Object.fromEntries(response.headers)
    expect(headers).toMatchObject({
      'x-midwatch-provider': 'main',
      'x-midwatch-model': 'gpt-real',
      'x-midwatch-attempts': '1',
      'x-midwatch-cache': 'off',
      'x-midwatch-cost-usd': '0.000074',
    })
    expect(headers['x-request-id']).toMatch(/^req_/)
    expect(Number(headers['x-midwatch-overhead-ms'])).toBeGreaterThan(0)
  })

  test('leaves one finished row that tells cached tokens from fresh ones', async () => {
    upstream.behave(
      answersStatus(
        200,
        plainAnswer('Hi', {
          usage: {
            prompt_tokens: 12,
            completion_tokens: 5,
            prompt_tokens_details: { cached_tokens: 2 },
            completion_tokens_details: { reasoning_tokens: 3 },
          },
        }),
      ),
    )
    const response = await stack.chat({}, { headers: { 'x-request-id': 'mine-1' } })
    await response.text()
    expect(await stack.rows()).toMatchObject([
      {
        tenant: 'default',
        key_id: 'local',
        request_id: 'mine-1',
        model: 'fast',
        provider: 'main',
        provider_model: 'gpt-real',
        endpoint: '/v1/chat/completions',
        status: 200,
        outcome: 'served',
        attempts: 1,
        input_tokens: 10,
        cached_tokens: 2,
        output_tokens: 5,
        reasoning_tokens: 3,
        usage_source: 'measured',
        cost_micro_usd: 74,
        ttft_ms: null,
        error_code: null,
      },
    ])
  })

  test('of a model without a price has an unknown cost, not none', async () => {
    const response = await stack.chat({ model: 'unpriced' })
    await response.text()
    expect(response.headers.has('x-midwatch-cost-usd')).toBe(false)
    expect((await stack.rows())[0]?.cost_micro_usd).toBeNull()
  })
})

describe('a request', () => {
  test('goes up as it came, but for the name of the model and our key', async () => {
    const body =
      '{ "messages":[{"role":"user","content":"a \\"model\\": x","odd":1.50}],\n"model" : "fast","seed":12345678901234567890 , "mod\\u0065l":"fast"}'
    await (await stack.chat(body, { headers: { 'x-request-id': 'mine-2' } })).text()
    const asked = await upstream.arrived(1)
    expect(asked.raw).toBe(body.replace('"fast","seed"', '"gpt-real","seed"').replace(':"fast"}', ':"gpt-real"}'))
    expect(asked.request.headers).toMatchObject({ authorization: 'Bearer sk-secret', 'x-request-id': 'mine-2' })
    expect(asked.request.url).toBe('/v1/chat/completions')
  })

  test.each([
    ['{"model":"fast"}', 'messages'],
    ['{"model":"fast","messages":[]}', 'messages'],
    ['{"model":"fast","messages":[{"role":"user"},{"content":"x"}]}', 'messages.1.role'],
    ['{"messages":[{"role":"user","content":"x"}]}', 'model'],
    ['{"model":"fast","messages":[{"role":"user","content":"x"}],"stream":"yes"}', 'stream'],
    ['{"model":"fast","messages":[{"role":"user","content":"x"}],"n":0}', 'n'],
    ['[]', null],
    ['{"model":', null],
    ['', null],
  ])('that is malformed (%s) is told which field is wrong, and no provider hears of it', async (body, param) => {
    const response = await stack.chat(body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param } })
    expect(upstream.asked).toHaveLength(0)
    expect(await stack.rows()).toMatchObject([
      { outcome: 'refused', status: 400, error_code: 'malformed', attempts: 0 },
    ])
  })

  test('for an unknown model is told near names, and mints no metric of its own', async () => {
    const response = await stack.chat({ model: 'fastt' })
    expect(response.status).toBe(404)
    expect(((await response.json()) as { error: { message: string } }).error.message).toContain('Did you mean fast?')
    expect(await stack.metric('llm_requests_total{model="unknown",endpoint="/v1/chat/completions",status="404"}')).toBe(
      1,
    )
    expect(await stack.metric('llm_active_requests{model="unknown"}')).toBe(0)
    expect(await stack.metrics.metrics()).not.toContain('fastt')
  })

  test.each(['constructor', '__proto__', 'toString'])('for a model called %s finds none', async (model) => {
    expect((await stack.chat({ model })).status).toBe(404)
  })

  test('larger than 32 MiB is refused', async () => {
    const response = await stack.chat({ messages: [{ role: 'user', content: 'x'.repeat(32 * 1024 * 1024) }] })
    expect(response.status).toBe(413)
    expect(await response.json()).toMatchObject({ error: { code: 'too_large' } })
  })

  test('of almost 10 MiB passes whole', async () => {
    const content = '"\\é'.repeat(1_500_000)
    expect((await stack.chat({ messages: [{ role: 'user', content }] })).status).toBe(200)
    expect((await upstream.arrived(1)).body['messages']).toEqual([{ role: 'user', content }])
  })
})

describe('a stream', () => {
  test('passes byte for byte to a caller who asked for usage', async () => {
    const sent = [
      ': a greeting\n\n',
      chunk({ role: 'assistant', content: '' }),
      'event: odd\nid: 7\ndata: {"choices":[{"index":0,"delta":{"content":"Hé"}}],"unheard_of":1.50}\n\n',
      chunk({}, { finish_reason: 'stop' }),
      usageChunk(),
      DONE,
    ]
    upstream.behave(async ({ response }) => {
      await stream(response, sent)
      response.end()
    })
    const response = await stack.chat({ stream: true, stream_options: { include_usage: true } })
    expect(await response.text()).toBe(sent.join(''))
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    expect(response.headers.get('x-midwatch-provider')).toBe('main')
    expect(response.headers.has('x-midwatch-cost-usd')).toBe(false)
  })

  test('is asked for its usage, which a caller who did not ask for it does not see', async () => {
    const response = await stack.chat({ stream: true })
    expect(await response.text()).toBe(
      goodStream('Hello')
        .filter((one) => one !== usageChunk())
        .join(''),
    )
    expect((await upstream.arrived(1)).raw).toMatch(/,"stream_options":\{"include_usage":true\}\}$/)
    expect(await stack.rows()).toMatchObject([
      { outcome: 'served', input_tokens: 12, output_tokens: 5, usage_source: 'measured', cost_micro_usd: 74 },
    ])
    expect((await stack.rows())[0]?.ttft_ms).toBeGreaterThan(0)
  })

  test('keeps the other stream options of the caller', async () => {
    await (await stack.chat({ stream: true, stream_options: { include_obfuscation: false } })).text()
    expect((await upstream.arrived(1)).body['stream_options']).toEqual({
      include_obfuscation: false,
      include_usage: true,
    })
  })

  test('without usage is charged by an estimate that is called one', async () => {
    upstream.behave(async ({ response }) => {
      await stream(response, [chunk({ content: 'x'.repeat(400) }), chunk({}, { finish_reason: 'stop' }), DONE])
      response.end()
    })
    await (await stack.chat({ stream: true, messages: [{ role: 'user', content: 'y'.repeat(80) }] })).text()
    expect(await stack.rows()).toMatchObject([
      { usage_source: 'estimated', input_tokens: 20, output_tokens: 100, cost_micro_usd: 20 * 2 + 100 * 10 },
    ])
  })

  test('cut by the network at any byte reaches the caller unchanged', async () => {
    const bytes = Buffer.from(
      event({ choices: [{ delta: { content: 'é漢字🌊' } }] }) + event({ choices: [{ finish_reason: 'stop' }] }) + DONE,
    )
    for (let at = 1; at < bytes.length; at += 1) {
      upstream.behave(async ({ response }) => {
        await stream(response, [bytes.subarray(0, at), bytes.subarray(at)])
        response.end()
      })
      const response = await stack.chat({ stream: true })
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes), `cut at byte ${at}`).toBe(true)
    }
    expect((await stack.rows()).every((row) => row.outcome === 'served')).toBe(true)
  })

  test('has its row finished before the caller sees the end', async () => {
    const response = await stack.chat({ stream: true })
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    while (!text.includes('[DONE]')) {
      const { value, done } = await reader.read()
      if (done) break
      text += Buffer.from(value).toString('utf8')
    }
    expect(text).toContain('[DONE]')
    expect((await stack.rows()).map((row) => row.outcome)).toEqual(['served'])
    await reader.cancel()
  })

  test('has its row on record before the provider is asked', async () => {
    let rows: unknown[] = []
    upstream.behave(async (asked) => {
      rows = await stack.rows()
      await answers('ok')(asked)
    })
    await (await stack.chat({ stream: true })).text()
    expect(rows).toMatchObject([{ outcome: null, model: 'fast', cost_micro_usd: null }])
  })
})

describe('the openai package, changed only in base URL and key,', () => {
  let apiKey = ''
  beforeEach(async () => {
    const made = await createKey(stack.access, { tenant: 'default', name: 'sdk', scopes: ['llm:chat'] }, systemClock)
    apiKey = made.key
  })
  const client = () => new OpenAI({ baseURL: `${stack.url}/v1`, apiKey, maxRetries: 0 })

  test.each(['qwen3:8b', 'meta-llama/Llama-3.3-70B-Instruct', '@cf/meta/llama-3.1-8b-instruct'])(
    'finds and asks a model that is called %s',
    async (name) => {
      const named = await startStack({
        yaml: `
providers: { main: { kind: openai, baseUrl: "${upstream.baseUrl}" } }
models:
  "${name}": { targets: [{ provider: main, model: "${name}" }], fallbacks: [ "a/b:c" ], cache: { embeddings: "a/b:c" } }
  "a/b:c": { targets: [{ provider: main, model: x }] }
agent: { model: "${name}" }
`,
      })
      const openai = new OpenAI({ baseURL: `${named.url}/v1`, apiKey: 'none', maxRetries: 0 })
      expect((await openai.models.retrieve(name)).id).toBe(name)
      const raw = await fetch(`${named.url}/v1/models/${name}`)
      expect(await raw.json()).toMatchObject({ id: name, object: 'model' })
      const inAnthropics = await fetch(`${named.url}/v1/models/${name}`, { headers: { 'anthropic-version': '1' } })
      expect(await inAnthropics.json()).toMatchObject({ id: name, type: 'model' })
      expect((await fetch(`${named.url}/v1/models/${name}/x`)).status).toBe(404)
      await openai.chat.completions.create({ model: name, messages: [{ role: 'user', content: 'Hi' }] })
      expect(upstream.asked[0]?.body['model']).toBe(name)
      expect((await named.rows())[0]).toMatchObject({ model: name, provider_model: name, outcome: 'served' })
      await named.stop()
    },
  )

  test('gets a plain answer and the list of models', async () => {
    const answer = await client().chat.completions.create({
      model: 'fast',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    expect(answer.choices[0]?.message.content).toBe('Hello')
    expect(answer.usage?.total_tokens).toBe(17)
    expect((await client().models.list()).data.map(({ id }) => id)).toEqual(['fast', 'unpriced'])
    expect((await client().models.retrieve('fast')).owned_by).toBe('midwatch')
  })

  test('collects a stream with parallel tool calls', async () => {
    const call = (index: number, more: Record<string, unknown>) => chunk({ tool_calls: [{ index, ...more }] })
    upstream.behave(async ({ response }) => {
      await stream(response, [
        chunk({ role: 'assistant', content: null }),
        call(0, { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }),
        call(0, { function: { arguments: '{"city":' } }),
        call(0, { function: { arguments: '"Łódź"}' } }),
        call(1, { id: 'call_b', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }),
        chunk({}, { finish_reason: 'tool_calls' }),
        usageChunk(),
        DONE,
      ])
      response.end()
    })
    const runner = client().chat.completions.stream({
      model: 'fast',
      messages: [{ role: 'user', content: 'Weather?' }],
      tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }],
      stream_options: { include_usage: true },
    })
    const answer = await runner.finalChatCompletion()
    expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
    expect(
      answer.choices[0]?.message.tool_calls?.map((tool) => tool.type === 'function' && tool.function.arguments),
    ).toEqual(['{"city":"Łódź"}', '{"city":"Rome"}'])
    expect(answer.usage?.total_tokens).toBe(17)
  })

  test('throws its own error for an unknown model', async () => {
    await expect(
      client().chat.completions.create({ model: 'fastt', messages: [{ role: 'user', content: 'x' }] }),
    ).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('Did you mean fast?') as string,
    })
  })

  test('that aborts ends the call to the provider and is charged for what it received', async () => {
    upstream.behave(async ({ response }) => {
      await stream(response, [chunk({ content: 'x'.repeat(40) })])
    })
    const answer = await client().chat.completions.create({
      model: 'fast',
      messages: [{ role: 'user', content: 'y'.repeat(20) }],
      stream: true,
    })
    for await (const _ of answer) answer.controller.abort()
    await (
      await upstream.arrived(1)
    ).hungUp
    await expect.poll(stack.rows).toMatchObject([
      {
        outcome: 'abandoned',
        status: 499,
        error_code: 'client_gone',
        input_tokens: 5,
        output_tokens: 10,
        usage_source: 'estimated',
        cost_micro_usd: 110,
      },
    ])
    expect(await stack.metric('llm_errors_total{model="fast",error_type="client_gone"}')).toBe(1)
  })

  test('is told of a cut stream by an error, never by a clean end', async () => {
    upstream.behave(async ({ response }) => {
      await stream(response, [chunk({ content: 'Half an ans' })])
      response.socket?.resetAndDestroy()
    })
    const answer = await client().chat.completions.create({
      model: 'fast',
      messages: [{ role: 'user', content: 'x' }],
      stream: true,
    })
    const seen: unknown[] = []
    await expect(
      (async () => {
        for await (const part of answer) seen.push(part.choices[0]?.delta.content)
      })(),
    ).rejects.toMatchObject({ message: expect.stringContaining('broke off') as string })
    expect(seen).toEqual(['Half an ans'])
  })
})

test('an event that only reports an error of the stream is passed in the words of the provider', async () => {
  const fault = event({ error: { message: 'overloaded', type: 'server_error', code: null, param: null } })
  upstream.behave(async ({ response }) => {
    await stream(response, [chunk({ content: 'Half' }), fault])
    response.end()
  })
  const text = await (await stack.chat({ stream: true })).text()
  expect(text).toBe(chunk({ content: 'Half' }) + fault)
})
