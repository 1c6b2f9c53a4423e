import { setImmediate as nextTurn } from 'node:timers/promises'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKey } from '../../access/keys.ts'
import { LOCAL_CALLER } from '../../core/caller.ts'
import { openAiChat } from '../../dialects/openai-chat/dialect.ts'
import type { Audience } from '../../gateway/audience.ts'
import { systemClock } from '../../core/clock.ts'
import {
  answers,
  answersStatus,
  type Behaviour,
  chunk,
  cutsAfter,
  DONE,
  goodStream,
  plainAnswer,
  startUpstream,
  stream,
  type Upstream,
} from '../../gateway/testing/upstream.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'

let upstream: Upstream
let stack: Stack

const yaml = () => `
providers:
  main: { kind: openai, baseUrl: "${upstream.baseUrl}", apiKey: sk-secret }
models:
  fast:
    targets: [{ provider: main, model: gpt-real, price: { inputUsd: 2, outputUsd: 10 } }]
    retries: { max: 0 }
    stream: { onCut: fail }
    cache: { mode: exact, ttlSeconds: 60 }
  shared:
    targets: [{ provider: main, model: gpt-real, price: { inputUsd: 2, outputUsd: 10 } }]
    retries: { max: 0 }
    stream: { onCut: fail }
    coalesce: true
  both:
    targets: [{ provider: main, model: gpt-real }]
    retries: { max: 0 }
    coalesce: true
    cache: { mode: exact }
`

beforeEach(async () => {
  upstream = await startUpstream(answers('Hel', 'lo'))
  stack = await startStack({ yaml: yaml() })
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

interface Got {
  readonly status: number
  readonly text: string
  readonly cache: string | null
  readonly headers: Headers
}

async function ask(body: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Got> {
  const response = await stack.chat(body, { headers })
  const text = await response.text()
  return { status: response.status, text, cache: response.headers.get('x-midwatch-cache'), headers: response.headers }
}

const spoken = (text: string): string =>
  [...text.matchAll(/"content":"([^"]*)"/g)].map((match) => match[1] ?? '').join('')

/** A call whose answer waits until it is let go on. */
function gated(behaviour: Behaviour): { readonly behaviour: Behaviour; readonly open: () => void } {
  let open: () => void = () => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { behaviour: async (asked) => opened.then(() => behaviour(asked)), open: () => open() }
}

describe('the exact cache', () => {
  test('gives the same bytes again, asks nobody, and says so in headers, ledger and metrics', async () => {
    const first = await ask()
    const second = await ask()
    expect(second.text).toBe(first.text)
    expect([first.cache, second.cache]).toEqual(['miss', 'hit'])
    expect(upstream.asked.length).toBe(1)
    expect(Object.fromEntries(second.headers)).toMatchObject({
      'x-midwatch-provider': 'main',
      'x-midwatch-model': 'gpt-real',
      'x-midwatch-attempts': '0',
      'x-midwatch-cost-usd': '0',
    })
    expect(await stack.rows()).toMatchObject([
      { outcome: 'served', attempts: 1, input_tokens: 12, cost_micro_usd: 74 },
      { outcome: 'served', status: 200, attempts: 0, provider: 'main', input_tokens: 0, cost_micro_usd: 0 },
    ])
    expect(await stack.metric('llm_cache_total{result="hit"}')).toBe(1)
    expect(await stack.metric('llm_cache_total{result="miss"}')).toBe(1)
  })

  test('tells a stream again as the same stream', async () => {
    const first = await ask({ stream: true })
    const second = await ask({ stream: true })
    expect(second.text).toBe(first.text)
    expect([first.cache, second.cache, upstream.asked.length]).toEqual(['miss', 'hit', 1])
  })

  test('tells a stream again whole, and a whole answer as a stream', async () => {
    await ask({ stream: true })
    const whole = await ask()
    expect([whole.cache, spoken(whole.text)]).toEqual(['hit', 'Hello'])
    expect(JSON.parse(whole.text)).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
    })
    await ask({ seed: 1 })
    const streamed = await ask({ seed: 1, stream: true })
    expect([streamed.cache, spoken(streamed.text), streamed.text.endsWith(DONE)]).toEqual(['hit', 'Hello', true])
    expect(upstream.asked.length).toBe(2)
  })

  test('tells each caller of the usage who wants to know, and nobody else', async () => {
    const wanting = { stream: true, stream_options: { include_usage: true } }
    await ask({ stream: true })
    const told = await ask(wanting)
    expect([told.cache, told.text.includes('"prompt_tokens":12')]).toEqual(['hit', true])
    await ask({ seed: 1, ...wanting })
    const untold = await ask({ seed: 1, stream: true })
    expect([untold.cache, untold.text.includes('prompt_tokens')]).toEqual(['hit', false])
    expect(spoken(untold.text)).toBe('Hello')
  })

  test('the official client reads it, streamed and not', async () => {
    const { key } = await createKey(stack.access, { name: 'sdk', tenant: 'default', scopes: ['llm:chat'] }, systemClock)
    const client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: key, maxRetries: 0 })
    const request = { model: 'fast', messages: [{ role: 'user' as const, content: 'Hi' }] }
    for (let i = 0; i < 2; i++) {
      const answer = await client.chat.completions.create(request)
      expect(answer.choices[0]?.message.content).toBe('Hello')
      let text = ''
      for await (const part of await client.chat.completions.create({ ...request, stream: true })) {
        text += part.choices[0]?.delta.content ?? ''
      }
      expect(text).toBe('Hello')
    }
    expect(upstream.asked.length).toBe(1)
  })

  test.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'look' } }] }, 'off'],
    ['a high temperature', { temperature: 1 }, 'off'],
    [
      'a system prompt',
      {
        messages: [
          { role: 'system', content: 'x' },
          { role: 'user', content: 'Hi there' },
        ],
      },
      'miss',
    ],
    ['a response format', { response_format: { type: 'json_object' } }, 'miss'],
    ['a seed', { seed: 7 }, 'miss'],
  ])('does not answer a request with %s from one without', async (_name, more, cache) => {
    await ask()
    expect((await ask(more)).cache).toBe(cache)
    expect(upstream.asked.length).toBe(2)
  })

  test('does as the caller says, and tells a word that it does not know', async () => {
    await ask()
    expect((await ask({}, { 'x-midwatch-cache': 'no-store' })).cache).toBe('off')
    upstream.behave(answers('New'))
    expect(spoken((await ask({}, { 'x-midwatch-cache': 'refresh' })).text)).toBe('New')
    expect(spoken((await ask()).text)).toBe('New')
    expect(await ask({}, { 'x-midwatch-cache': 'sometimes' })).toMatchObject({ status: 400 })
  })

  test('keeps no error, no answer that was cut, and no answer that was withheld', async () => {
    upstream.behave(answersStatus(500, { error: { message: 'oh' } }))
    expect((await ask()).status).toBe(502)
    upstream.behave(cutsAfter(chunk({ content: 'Hel' })))
    await ask({ stream: true })
    upstream.behave(
      answersStatus(
        200,
        JSON.stringify({
          choices: [{ index: 0, message: { role: 'assistant', content: '' }, finish_reason: 'content_filter' }],
        }),
      ),
    )
    expect((await ask()).cache).toBe('miss')
    upstream.behave(answers('Fine'))
    expect(await ask()).toMatchObject({ status: 200, cache: 'miss' })
    expect(spoken((await ask()).text)).toBe('Fine')
  })

  test('still answers when the provider is gone', async () => {
    await ask()
    upstream.behave(({ response }) => void response.socket?.resetAndDestroy())
    expect(await ask()).toMatchObject({ status: 200, cache: 'hit' })
  })

  test('is not shared between tenants', async () => {
    await stack.stop()
    stack = await startStack({ yaml: yaml(), auth: 'required' })
    const keys = await Promise.all(
      ['acme', 'globex'].map((tenant) =>
        createKey(stack.access, { name: tenant, tenant, scopes: ['llm:chat'] }, systemClock),
      ),
    )
    const as = (n: number) => ask({}, { authorization: `Bearer ${keys[n]?.key ?? ''}` })
    expect([(await as(0)).cache, (await as(1)).cache, (await as(0)).cache]).toEqual(['miss', 'miss', 'hit'])
  })
})

test('an answer in which personal data was put back is nobody else’s: neither kept nor shared', async () => {
  await stack.stop()
  stack = await startStack({ yaml: `${yaml()}\nprivacy: { pii: { action: pseudonymise } }` })
  upstream.behave(answers('Dear [EMAIL-1]'))
  const write = (to: string) => ask({ model: 'both', messages: [{ role: 'user', content: `Greet ${to}@example.com` }] })
  const told = await Promise.all([write('jo'), write('al'), write('jo')])
  expect(told.map(({ text }) => spoken(text))).toEqual([
    'Dear jo@example.com',
    'Dear al@example.com',
    'Dear jo@example.com',
  ])
  expect(told.map(({ cache }) => cache)).toEqual(['off', 'off', 'off'])
  expect(upstream.asked.length).toBe(3)
})

describe('the semantic cache', () => {
  /** All prompts about a password have one vector; any other has one of its own. */
  const embeds: Behaviour = ({ body, response }) => {
    const data = [body['input']].flat().map((text, index) => {
      const about = String(text).includes('password') ? 'password' : String(text)
      return {
        object: 'embedding',
        index,
        embedding: [...Buffer.from(about.padEnd(16).slice(0, 16))].map((one) => one - 99),
      }
    })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify({ object: 'list', data, model: 'embed-1', usage: { prompt_tokens: 6, total_tokens: 6 } }),
    )
  }
  const prompt = (content: string, more: Record<string, unknown> = {}) =>
    ask({ model: 'alike', messages: [{ role: 'user', content }], ...more })

  beforeEach(async () => {
    await stack.stop()
    stack = await startStack({
      yaml: `${yaml()}
  alike:
    targets: [{ provider: main, model: gpt-real, price: { inputUsd: 2, outputUsd: 10 } }]
    cache: { mode: semantic, embeddings: vectors, similarity: 0.9 }
  vectors:
    targets: [{ provider: main, model: embed-real, price: { inputUsd: 1, outputUsd: 0 } }]
`,
    })
    upstream.behave((asked) =>
      (asked.request.url?.endsWith('/embeddings') ? embeds : answers('Click on "forgot".'))(asked),
    )
  })

  test('answers what is only put otherwise, streamed or not, and charges the caller for embedding it', async () => {
    expect((await prompt('How do I reset my password?')).cache).toBe('miss')
    const again = await prompt('Please tell me how to reset a password')
    expect([again.cache, again.text.includes('forgot')]).toEqual(['hit', true])
    expect((await prompt('how to reset my password', { stream: true })).cache).toBe('hit')
    const rows = await stack.rows()
    expect(rows.map(({ endpoint, purpose, cost_micro_usd: cost }) => [endpoint, purpose, cost])).toEqual(
      expect.arrayContaining([
        ['/v1/chat/completions', null, 74],
        ['/v1/embeddings', 'semantic cache', 6],
        ['/v1/chat/completions', null, 0],
      ]),
    )
    expect(upstream.asked.filter(({ request }) => request.url?.endsWith('/chat/completions')).length).toBe(1)
  })

  test('asks anew where a word tells that something else is wanted, or the embedder is down', async () => {
    await prompt('How do I reset my password?')
    expect((await prompt('How do I not reset my password?')).cache).toBe('miss')
    expect((await prompt('How do I reset my password?', { temperature: 1 })).cache).toBe('off')
    upstream.behave((asked) =>
      (asked.request.url?.endsWith('/embeddings') ? answersStatus(500, {}) : answers('Fine'))(asked),
    )
    expect(await prompt('how to reset my password')).toMatchObject({ status: 200, cache: 'miss' })
  })

  test('has the embedding counted for the user whom the request names', async () => {
    await prompt('How do I reset my password?', { user: 'jo' })
    const users = (await stack.rows()).map(({ user_hash: user }) => user)
    expect([users.length, new Set(users).size, users.includes(null)]).toEqual([2, 1, false])
  })

  test('is not lost to others because one caller has no room for the embedding', async () => {
    const { kind } = await stack.gateway.serve(
      {
        dialect: openAiChat,
        body: Buffer.from('{"model":"alike","messages":[{"role":"user","content":"What is the time?"}]}'),
        caller: { ...LOCAL_CALLER, keyId: 'narrow', limits: { concurrency: 1 } },
        requestId: 'req_1',
        signal: new AbortController().signal,
      },
      { begin: () => undefined, write: () => undefined },
    )
    expect(kind).toBe('served')
    await prompt('How do I reset my password?')
    expect((await prompt('how to reset my password')).cache).toBe('hit')
  })
})

describe('identical requests under way', () => {
  const shared = (more: Record<string, unknown> = {}, init: RequestInit = {}) =>
    stack.chat({ model: 'shared', ...more }, init)
  /** Until so many have been put on record: they are in. */
  const recorded = async (count: number) => {
    while ((await stack.rows()).length < count) await nextTurn()
    await nextTurn()
  }

  test('share one call: all hear everything, and one pays', async () => {
    const gate = gated(answers('Hel', 'lo'))
    upstream.behave(gate.behaviour)
    const all = Array.from({ length: 5 }, () => shared().then((response) => response.text()))
    await recorded(5)
    gate.open()
    for (const text of await Promise.all(all)) expect(spoken(text)).toBe('Hello')
    expect(upstream.asked.length).toBe(1)
    const rows = await stack.rows()
    expect(rows.every(({ outcome }) => outcome === 'served')).toBe(true)
    expect(rows.map(({ cost_micro_usd: cost }) => cost ?? -1).sort((a, b) => a - b)).toEqual([0, 0, 0, 0, 74])
    expect(rows.map(({ input_tokens: tokens }) => tokens ?? -1).sort((a, b) => a - b)).toEqual([0, 0, 0, 0, 12])
    expect(await stack.metric('llm_cache_total{result="shared"}')).toBe(4)
  })

  test('share a stream that has begun', async () => {
    let finish: () => void = () => undefined
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    upstream.behave(async ({ response }) => {
      const events = goodStream('Hel', 'lo')
      await stream(response, events.slice(0, 2))
      await finished
      await stream(response, events.slice(2))
      response.end()
    })
    const first = await shared({ stream: true })
    const second = await shared({ stream: true })
    finish()
    const texts = await Promise.all([first.text(), second.text()])
    expect(texts.map(spoken)).toEqual(['Hello', 'Hello'])
    expect(texts[1]).toBe(texts[0])
    expect(upstream.asked.length).toBe(1)
  })

  test('do not share between plain and streamed, nor what is meant to vary', async () => {
    const gate = gated(answers('Hello'))
    upstream.behave(gate.behaviour)
    const asked = [{}, { stream: true }, { temperature: 1 }, { temperature: 1 }]
    const all = asked.map((more) => shared(more).then((response) => response.text()))
    await upstream.arrived(4)
    gate.open()
    for (const text of await Promise.all(all)) expect(spoken(text)).toBe('Hello')
  })

  test('all get the failure of the call', async () => {
    const gate = gated(answersStatus(500, { error: { message: 'oh' } }))
    upstream.behave(gate.behaviour)
    const all = [shared(), shared(), shared()]
    await recorded(3)
    gate.open()
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([502, 502, 502])
    expect(upstream.asked.length).toBe(1)
  })

  test('one who hangs up disturbs nobody, and costs nothing; the next one pays', async () => {
    const gate = gated(answers('Hello'))
    upstream.behave(gate.behaviour)
    const hangsUp = new AbortController()
    const first = shared({}, { signal: hangsUp.signal }).catch(() => undefined)
    const { hungUp } = await upstream.arrived(1)
    const second = shared()
    await recorded(2)
    hangsUp.abort()
    await first
    while ((await stack.rows())[0]?.outcome !== 'abandoned') await nextTurn()
    gate.open()
    expect(spoken(await (await second).text())).toBe('Hello')
    await hungUp
    expect(await stack.rows()).toMatchObject([
      { outcome: 'abandoned', cost_micro_usd: 0 },
      { outcome: 'served', cost_micro_usd: 74, attempts: 1 },
    ])
  })

  test('when all hang up, the provider is hung up on, and the last one is charged as ever', async () => {
    upstream.behave(({ response }) => stream(response, [chunk({ content: 'Hel' })]))
    const hangsUp = new AbortController()
    const all = [
      shared({ stream: true }, { signal: hangsUp.signal }),
      shared({ stream: true }, { signal: hangsUp.signal }),
    ]
    const { hungUp } = await upstream.arrived(1)
    await Promise.all(all)
    hangsUp.abort()
    await hungUp
    while ((await stack.rows()).some(({ outcome }) => outcome === null)) await nextTurn()
    const rows = await stack.rows()
    expect(rows.map(({ outcome }) => outcome)).toEqual(['abandoned', 'abandoned'])
    expect(
      rows.filter(({ usage_source: source, output_tokens: tokens }) => source === 'estimated' && tokens).length,
    ).toBe(1)
    expect(upstream.asked.length).toBe(1)
  })

  test('each has its own deadline', async () => {
    const gate = gated(answers('Hello'))
    upstream.behave(gate.behaviour)
    const patient = shared()
    await upstream.arrived(1)
    const hasty = await shared({}, { headers: { 'x-midwatch-deadline-ms': '50' } })
    expect(hasty.status).toBe(504)
    gate.open()
    expect(spoken(await (await patient).text())).toBe('Hello')
    expect(upstream.asked.length).toBe(1)
  })

  test('one who has not taken all by the deadline is told no clean end, though the call has one', async () => {
    const [half, rest] = [chunk({ content: 'Hel' }), chunk({ content: 'lo' }, { finish_reason: 'stop' })]
    const gate = Promise.withResolvers<void>()
    upstream.behave(async ({ response }) => {
      await stream(response, [half])
      await gate.promise
      await stream(response, [rest, DONE])
      response.end()
    })
    const call = {
      dialect: openAiChat,
      body: Buffer.from('{"model":"shared","stream":true,"messages":[{"role":"user","content":"Hi there"}]}'),
      caller: LOCAL_CALLER,
      requestId: 'req_1',
      signal: new AbortController().signal,
    }
    const listen = (heard: string[], slow?: Promise<void>): Audience => ({
      begin: () => undefined,
      write: (frames) => {
        for (const { bytes } of frames) heard.push(Buffer.from(bytes).toString())
        return slow
      },
    })
    const [quick, slow]: [string[], string[]] = [[], []]
    const served = stack.gateway.serve(call, listen(quick))
    while (quick.length === 0) await nextTurn()
    const late = stack.gateway.serve(
      { ...call, requestId: 'req_2', deadlineMs: 200 },
      listen(slow, new Promise(() => undefined)),
    )
    while (slow.length === 0) await nextTurn()
    gate.resolve()
    expect([(await served).kind, quick.join('')]).toEqual(['served', half + rest])
    expect([(await late).kind, slow.join('')]).toEqual(['failed', half])
    expect((await stack.rows())[1]).toMatchObject({ outcome: 'failed', error_code: 'deadline', cost_micro_usd: 0 })
  })

  test('fill the cache once, and then it answers', async () => {
    const gate = gated(answers('Hello'))
    upstream.behave(gate.behaviour)
    const all = [stack.chat({ model: 'both' }), stack.chat({ model: 'both' })]
    await recorded(2)
    gate.open()
    await Promise.all(all)
    expect((await stack.chat({ model: 'both' })).headers.get('x-midwatch-cache')).toBe('hit')
    expect(upstream.asked.length).toBe(1)
  })
})

test('a plain answer that was kept as it came is told again byte for byte, however odd', async () => {
  const odd = ` {"choices":[{"index":0,"message":{"role":"assistant","content":"Hé"},"finish_reason":"stop"}], "big": 12345678901234567890}`
  upstream.behave(answersStatus(200, odd))
  await ask()
  expect(await ask()).toMatchObject({ text: odd, cache: 'hit' })
  upstream.behave(answersStatus(200, plainAnswer('other')))
  expect((await ask({ seed: 2 })).text).toContain('other')
})
