import { once } from 'node:events'
import { type AddressInfo, createServer as createRawServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import {
  answers,
  answersStatus,
  type Behaviour,
  chunk,
  cutsAfter,
  DONE,
  event,
  goodStream,
  plainAnswer,
  startUpstream,
  stream,
  type Upstream,
  usageChunk,
} from '../../gateway/testing/upstream.ts'

let first: Upstream
let second: Upstream
let clock: ManualClock
let logged: string
let stack: Stack

beforeEach(async () => {
  first = await startUpstream()
  second = await startUpstream(answers('from the second'))
  clock = new ManualClock()
  logged = ''
  stack = await startStack({
    clock,
    log: pino({ level: 'error' }, { write: (line: string) => (logged += line) }),
    yaml: `
providers:
  first: { kind: openai, baseUrl: "${first.baseUrl}", apiKey: sk-1 }
  second: { kind: openai, baseUrl: "${second.baseUrl}" }
  nowhere: { kind: openai, baseUrl: "http://127.0.0.1:1/v1" }
models:
  fast:
    targets: [{ provider: first, model: a }]
    timeouts: { firstTokenMs: 10000, idleMs: 15000, totalMs: 60000 }
    retries: { max: 0 }
    stream: { onCut: fail }
  safe:
    targets: [{ provider: first, model: a }]
    fallbacks: [ spare ]
    retries: { max: 0 }
    stream: { onCut: fail }
  brisk:
    targets: [{ provider: first, model: a }]
    fallbacks: [ spare ]
    timeouts: { plainMs: 2000 }
  spare:
    targets: [{ provider: second, model: b, price: { inputUsd: 1, outputUsd: 1 } }]
  priceless:
    targets: [{ provider: second, model: c, price: { inputUsd: 1.0e+308, outputUsd: 1.0e+308 } }]
  lost:
    targets: [{ provider: nowhere, model: x }]
    retries: { max: 0 }
  rescued:
    targets: [{ provider: nowhere, model: x }, { provider: second, model: b }]
`,
  })
})

afterEach(async () => {
  await stack.stop()
  await first.stop()
  await second.stop()
})

/** Second by second, with time for the network in between. */
async function passTime(clock: ManualClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    await clock.advance(1_000)
    await wait(5)
  }
}

const lastRow = async () => (await stack.rows()).at(-1)

interface ErrorAnswer {
  readonly error: { readonly message: string; readonly type: string; readonly code: string }
}

describe('before any content, another target answers instead of', () => {
  const faults: [string, Behaviour, string][] = [
    ['a 500', answersStatus(500, { error: { message: 'boom' } }), 'upstream_5xx'],
    ['a 503 without a body', answersStatus(503, ''), 'upstream_5xx'],
    ['a 429', answersStatus(429, { error: { message: 'slow down' } }), 'upstream_rate_limited'],
    ['a key that is not taken', answersStatus(401, { error: { message: 'bad key sk-1' } }), 'upstream_auth'],
    ['a model that is not there', answersStatus(404, { error: { message: 'no such model' } }), 'upstream_4xx'],
    ['a redirect', answersStatus(302, '', { location: 'http://127.0.0.1:1/' }), 'upstream_malformed'],
    ['a reset before the headers', ({ response }) => void response.socket?.resetAndDestroy(), 'upstream_cut'],
    ['an end before the headers', ({ response }) => void response.socket?.end(), 'upstream_cut'],
    ['an error under 200', answersStatus(200, { error: { message: 'overloaded' } }), 'upstream_5xx'],
    ['a page under 200', answersStatus(200, '<html>login</html>'), 'upstream_malformed'],
    ['an empty answer', answersStatus(200, ''), 'upstream_malformed'],
  ]
  test.each(faults)('%s, streamed or not', async (_name, fault) => {
    first.behave(fault)
    for (const streamed of [false, true]) {
      const response = await stack.chat({ model: 'safe', stream: streamed })
      expect(await response.text()).toContain('from the second')
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'x-midwatch-provider': 'second',
        'x-midwatch-model': 'b',
        'x-midwatch-attempts': '2',
      })
      // The price is that of the model whose target answered.
      expect(await lastRow()).toMatchObject({ outcome: 'served', attempts: 2, provider: 'second', cost_micro_usd: 17 })
    }
  })

  test.each(faults)('and where there is none, the caller is told of %s', async (_name, fault, errorType) => {
    first.behave(fault)
    const response = await stack.chat({ model: 'fast', stream: true })
    const { error } = (await response.json()) as ErrorAnswer
    expect(response.status).toBe(errorType === 'upstream_rate_limited' ? 429 : 502)
    expect(error.message).toContain('first')
    expect(error.message).not.toContain('sk-1')
    expect(await lastRow()).toMatchObject({
      outcome: 'failed',
      error_code: errorType,
      usage_source: 'unknown',
      cost_micro_usd: null,
    })
    expect(await stack.metric(`llm_errors_total{model="fast",error_type="${errorType}"}`)).toBe(1)
  })

  const streamFaults: [string, Behaviour][] = [
    ['greets and then breaks', cutsAfter(': hello\n\n', chunk({ role: 'assistant', content: '' }))],
    ['greets and then errs', streams(chunk({ role: 'assistant' }), event({ error: { message: 'overloaded' } }))],
    ['errs by an event of that name', streams('event: error\ndata: {"message":"overloaded"}\n\n')],
    ['greets and then ends', streams(chunk({ role: 'assistant', content: '' }))],
    ['ends at once', streams(DONE)],
    ['sends what is not JSON', streams('data: {"choices":[{"del\n\n')],
    ['sends what is not an object', streams('data: 7\n\n')],
  ]
  test.each(streamFaults)('a stream that %s', async (_name, fault) => {
    first.behave(fault)
    const text = await (await stack.chat({ model: 'safe', stream: true })).text()
    expect(text).toBe(
      goodStream('from the second')
        .filter((one) => one !== usageChunk())
        .join(''),
    )
  })

  test.each<[string, Behaviour]>([
    [
      'is cut',
      ({ response }) => {
        response.writeHead(200, { 'content-length': '5000' })
        response.write(plainAnswer('half').slice(0, 60), () => response.socket?.resetAndDestroy())
      },
    ],
    ['stops in the middle of its JSON', answersStatus(200, plainAnswer('half').slice(0, 60))],
    ['has no choices', answersStatus(200, '{"choices":[]}')],
    ['is a stream', answersStatus(200, goodStream('x').join(''))],
  ])('a plain answer that %s', async (_name, fault) => {
    first.behave(fault)
    expect(await (await stack.chat({ model: 'safe' })).text()).toContain('from the second')
  })

  test('a provider that nobody listens at', async () => {
    expect(await (await stack.chat({ model: 'rescued' })).text()).toContain('from the second')
    const response = await stack.chat({ model: 'lost' })
    expect(response.status).toBe(502)
    expect(await lastRow()).toMatchObject({ error_code: 'upstream_unreachable', attempts: 1 })
  })

  test('a stream that stays silent for too long, greetings notwithstanding', async () => {
    first.behave(async ({ response }) => stream(response, [chunk({ role: 'assistant', content: '' }), ': ping\n\n']))
    const answer = stack.chat({ model: 'safe', stream: true })
    const asked = await first.arrived(1)
    await clock.advance(9_900)
    expect(second.asked).toHaveLength(0)
    await clock.advance(200)
    await asked.hungUp
    expect(await (await answer).text()).toContain('from the second')
  })
})

test('a provider that speaks no HTTP is an error, not a hang', async () => {
  const server = createRawServer((socket) =>
    socket.once('data', () => socket.end('220 mail.example.com ESMTP\r\n\r\n')),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const other = await startStack({
    yaml: `
providers: { odd: { kind: openai, baseUrl: "http://127.0.0.1:${(server.address() as AddressInfo).port}" } }
models: { fast: { targets: [{ provider: odd, model: a }] } }
`,
  })
  expect((await other.chat({})).status).toBe(502)
  expect((await other.rows())[0]?.error_code).toBe('upstream_malformed')
  await other.stop()
  server.close()
})

describe('a fault that the provider finds with the request', () => {
  test('is told in its own words and tried nowhere else', async () => {
    const body = {
      error: {
        message: 'a message must not be empty',
        type: 'invalid_request_error',
        param: 'messages',
        code: 'empty_message',
        odd: 1,
      },
    }
    first.behave(answersStatus(400, body))
    const response = await stack.chat({ model: 'safe' })
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual(body)
    expect(response.headers.get('x-midwatch-provider')).toBe('first')
    expect(second.asked).toHaveLength(0)
    expect(await lastRow()).toMatchObject({ outcome: 'failed', status: 400, error_code: 'upstream_4xx' })
  })

  test.each([
    ['{"object":"error","message":"bad temperature","code":400}', 'bad temperature'],
    ['{"error":"bad temperature"}', 'bad temperature'],
    ['{"detail":"bad temperature"}', 'bad temperature'],
    ['{"detail":[{"loc":["body","top_p"],"msg":"too high"},{"msg":"odd"}]}', 'top_p: too high; : odd'],
    ['top_p is too high', 'top_p is too high'],
    ['"top_p is too high"', 'top_p is too high'],
    ['  Bad\r\n\trequest:\u0000 é\n', 'Bad request: é'],
    ['<h1>Bad</h1>', 'The provider refused the request and did not say why.'],
    ['422', 'The provider refused the request and did not say why.'],
  ])('is put into the shape of the dialect where it is not: %s', async (body, message) => {
    first.behave(answersStatus(422, body))
    const response = await stack.chat({})
    expect(response.status).toBe(422)
    expect(await response.json()).toEqual({
      error: { message, type: 'invalid_request_error', param: null, code: null },
    })
  })

  test('is not told at length, and never with half a character', async () => {
    first.behave(answersStatus(422, `No ${'😀'.repeat(3_000)}`))
    const { error } = (await (await stack.chat({})).json()) as ErrorAnswer
    expect(error.message).toBe(`No ${'😀'.repeat(248)}…`)
  })

  test('does not quote a credential that the config gives as a header', async () => {
    const other = await startStack({
      yaml: `
providers: { first: { kind: openai, baseUrl: "${first.baseUrl}", headers: { Authorization: Bearer sk-header-1, x-team: a } } }
models: { fast: { targets: [{ provider: first, model: a }] } }
`,
    })
    first.behave(answersStatus(400, '{"error":"bad key sk-header-1 of a"}'))
    expect(await (await other.chat({})).text()).toContain('bad key *** of a')
    await other.stop()
  })
})

test.each([
  [{ 'retry-after': '7' }, '7'],
  [{ 'retry-after-ms': '1500' }, '2'],
  [{}, '1'],
])('a 429 says when to come again (%o)', async (headers, expected) => {
  first.behave(answersStatus(429, { error: { message: 'slow down' } }, headers))
  const response = await stack.chat({})
  expect(response.status).toBe(429)
  expect(response.headers.get('retry-after')).toBe(expected)
  expect(((await response.json()) as ErrorAnswer).error.type).toBe('rate_limit_error')
})

describe('after the first content', () => {
  const half = [chunk({ role: 'assistant', content: '' }), chunk({ content: 'Half' })]

  test.each<[string, Behaviour]>([
    ['cut between frames', cutsAfter(...half)],
    ['cut inside a frame', cutsAfter(...half, chunk({ content: ' more' }).slice(0, 50))],
    ['ended in order but too early', streams(...half)],
    ['gone mad', streams(...half, 'data: {oops\n\n')],
  ])('a stream that is %s ends with an error event and no end mark', async (_name, fault) => {
    first.behave(fault)
    const text = await (await stack.chat({ model: 'safe', stream: true })).text()
    expect(text.startsWith(half.join(''))).toBe(true)
    const rest = text.slice(half.join('').length)
    expect(rest).toMatch(/^data: \{"error":\{"message":"[^\n]+"\}\}\n\n$/)
    expect(text).not.toContain('[DONE]')
    expect(second.asked).toHaveLength(0)
    expect(await lastRow()).toMatchObject({
      outcome: 'failed',
      status: 502,
      usage_source: 'estimated',
      output_tokens: 1,
    })
    expect(await stack.metric('llm_requests_total{model="safe",endpoint="/v1/chat/completions",status="502"}')).toBe(1)
  })

  test('a silent stream is given up after the idle limit', async () => {
    first.behave(async ({ response }) => stream(response, half))
    const response = await stack.chat({ stream: true })
    const asked = await first.arrived(1)
    await clock.advance(14_900)
    expect(await stack.metric('llm_active_requests{model="fast"}')).toBe(1)
    await clock.advance(200)
    await asked.hungUp
    expect(await response.text()).toContain('did not answer in time')
    expect(await lastRow()).toMatchObject({ outcome: 'failed', status: 504, error_code: 'upstream_timeout' })
  })

  test('the deadline ends a stream that would go on for ever', async () => {
    first.behave(async ({ response }) => stream(response, half))
    const response = await stack.chat({ stream: true })
    const asked = await first.arrived(1)
    const reader = new StreamReader(response)
    for (let seconds = 10; seconds < 60; seconds += 10) {
      await clock.advance(10_000)
      asked.response.write(chunk({ content: `after ${seconds} s` }))
      // Only when it has passed does the next wait begin.
      await reader.until(`after ${seconds} s`)
    }
    await clock.advance(10_100)
    await reader.until('The deadline passed')
    expect(await lastRow()).toMatchObject({ outcome: 'failed', error_code: 'deadline' })
  })
})

describe('an answer in which all was said is whole', () => {
  const said = [chunk({ content: 'All of it' }), chunk({}, { finish_reason: 'stop' })]

  test.each<[string, Behaviour]>([
    ['without an end mark', streams(...said)],
    ['reset instead of ended', cutsAfter(...said)],
    ['with an end mark that lacks its blank line', streams(...said, 'data: [DONE]')],
  ])('%s, and gets its end mark', async (_name, behaviour) => {
    first.behave(behaviour)
    const text = await (await stack.chat({ stream: true })).text()
    expect(text.trimEnd()).toBe([...said, DONE].join('').trimEnd())
    expect(await lastRow()).toMatchObject({ outcome: 'served', usage_source: 'estimated' })
  })

  test('when the provider then stays silent with the connection open', async () => {
    first.behave(async ({ response }) => stream(response, said))
    const response = await stack.chat({ stream: true })
    await first.arrived(1)
    const text = response.text()
    await clock.advance(2_100)
    expect(await text).toBe([...said, DONE].join(''))
  })

  test('also when pings go on coming in place of the end mark', async () => {
    first.behave(async ({ response }) => stream(response, said))
    const response = await stack.chat({ stream: true })
    const asked = await first.arrived(1)
    const reader = new StreamReader(response)
    await reader.until('"finish_reason":"stop"')
    for (let second = 1; second <= 3 && !asked.response.destroyed; second++) {
      asked.response.write(`: ping ${second}\n\n`)
      if (second < 3) await reader.until(`ping ${second}`)
      await clock.advance(900)
    }
    await clock.advance(300)
    await reader.until('[DONE]')
    await asked.hungUp
    expect(await lastRow()).toMatchObject({ outcome: 'served' })
  })

  test('only when each of several choices has its end', async () => {
    first.behave(cutsAfter(...said))
    expect(await (await stack.chat({ stream: true, n: 2 })).text()).toContain('"error"')
  })
})

const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`

test('a request nested without end is served and charged like any other', async () => {
  first.behave(async ({ response }) => {
    await stream(response, [chunk({ content: 'Hi' }), chunk({}, { finish_reason: 'stop' }), DONE])
    response.end()
  })
  const messages = '[{"role":"user","content":"Hi"}]'
  const response = await stack.chat(`{"model":"fast","stream":true,"messages":${messages},"tools":${nested}}`)
  expect(await response.text()).toContain(DONE)
  expect(await lastRow()).toMatchObject({ outcome: 'served', usage_source: 'estimated', input_tokens: 10_001 })
  expect(await stack.metric('llm_active_requests{model="fast"}')).toBe(0)
})

test.each([1e300, -5, Number.MAX_SAFE_INTEGER, '12', null])(
  'a count of tokens that makes no sense (%s) is not believed, and costs neither the answer nor a budget',
  async (tokens) => {
    second.behave(({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const usage = { prompt_tokens: tokens, completion_tokens: tokens, total_tokens: tokens }
      response.end(plainAnswer('from the second', { usage }))
    })
    const response = await stack.chat({ model: 'spare' })
    expect([response.status, response.headers.get('x-midwatch-cost-usd')]).toEqual([200, '0.000006'])
    expect(await lastRow()).toMatchObject({ outcome: 'served', usage_source: 'estimated', cost_micro_usd: 6 })
  },
)

test('a cost that is beyond counting takes no answer from its caller', async () => {
  const response = await stack.chat({ model: 'priceless' })
  expect([response.status, await response.text()]).toEqual([200, plainAnswer('from the second')])
  expect(await lastRow()).toMatchObject({ outcome: 'served' })
  expect(logged).toContain('could not be counted')
})

test.each([
  ['Infinity', '86400'],
  ['1e300', '86400'],
])('a provider that asks to be left alone for %s seconds is not taken at its word', async (given, told) => {
  first.behave(answersStatus(429, { error: { message: 'slow down', type: 'rate' } }, { 'retry-after': given }))
  const response = await stack.chat({})
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, told])
})

test.each(['continue', 'restart'])('what comes without end before it may go out is not kept (%s)', async (onCut) => {
  const greeting = `: ${'x'.repeat(1024 * 1024)}\n\n`
  first.behave(async ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chunk(onCut === 'restart' ? { content: 'Hel' } : { role: 'assistant' }))
    while (!response.destroyed) if (!response.write(greeting)) await once(response, 'drain').catch(() => undefined)
  })
  const response = await stack.chat({ model: 'safe', stream: true }, { headers: { 'x-midwatch-on-cut': onCut } })
  expect(await response.text()).toContain('from the second')
})

test('a refusal whose reason never comes is one after the idle limit, also of a plain call', async () => {
  first.behave(({ response }) => {
    response.writeHead(503, { 'content-type': 'application/json', 'content-length': 100 })
    response.write('{')
  })
  const answer = stack.chat({ model: 'safe' })
  await first.arrived(1)
  await Promise.race([answer, passTime(clock, 40)])
  expect(await (await answer).text()).toContain('from the second')
})

test('a failure that nobody foresaw ends the row, and the log has its detail', async () => {
  first.behave(({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`data: {"choices":[{"index":0,"delta":{"content":${nested}}}]}\n\n`)
  })
  const response = await stack.chat({ stream: true }, { headers: { 'x-request-id': 'mine-3' } })
  expect(response.status).toBe(500)
  expect(await lastRow()).toMatchObject({ outcome: 'failed', error_code: 'internal' })
  expect(logged).toMatch(/call stack.*mine-3/)
})

test('a caller can set a shorter deadline than the model has', async () => {
  first.behave(() => undefined)
  const answer = stack.chat({}, { headers: { 'x-midwatch-deadline-ms': '1000' } })
  await first.arrived(1)
  await clock.advance(1_100)
  const response = await answer
  expect(response.status).toBe(504)
  const odd = await stack.chat({}, { headers: { 'x-midwatch-deadline-ms': 'soon' } })
  expect([odd.status, ((await odd.json()) as ErrorAnswer).error.code]).toEqual([400, 'malformed'])
})

test('a plain answer may take longer than the first token of a stream', async () => {
  first.behave(() => undefined)
  const answer = stack.chat({})
  const asked = await first.arrived(1)
  await clock.advance(30_000)
  asked.response.end(plainAnswer('late but whole'))
  expect(await (await answer).text()).toContain('late but whole')
})

describe('an error under 200 that quotes our key is told without it', () => {
  const fault = { error: { message: 'the key sk-1 has no credit', type: 'server_error' } }

  test.each<[string, Behaviour, boolean]>([
    ['as a plain answer', answersStatus(200, fault), false],
    ['as the first event of a stream', streams(event(fault)), true],
    ['in the midst of a stream', streams(chunk({ content: 'Half' }), event(fault)), true],
    ['instead of a stream', answersStatus(200, fault), true],
  ])('%s', async (_name, behaviour, streamed) => {
    first.behave(behaviour)
    const watched: string[] = []
    const other = await startStack({
      log: pino({ level: 'debug' }, { write: (line: string) => void watched.push(line) }),
      yaml: `
providers: { first: { kind: openai, baseUrl: "${first.baseUrl}", apiKey: sk-1 } }
models: { fast: { targets: [{ provider: first, model: a }], retries: { max: 0 }, stream: { onCut: fail } } }
`,
    })
    const said = await (await other.chat({ stream: streamed })).text()
    await other.stop()
    expect(said).toContain('error')
    expect(watched.join('')).toContain('the key *** has no credit')
    expect(said + watched.join('')).not.toContain('sk-1')
  })
})

describe('a plain call to a provider that takes it and never answers', () => {
  beforeEach(() => first.behave(() => undefined))

  test('goes to another target after half of the time that is left', async () => {
    const answer = stack.chat({ model: 'safe' })
    const asked = await first.arrived(1)
    await clock.advance(59_900)
    expect(second.asked).toHaveLength(0)
    await clock.advance(200)
    await asked.hungUp
    expect(await (await answer).text()).toContain('from the second')
    expect(await lastRow()).toMatchObject({ outcome: 'served', attempts: 2 })
  })

  test('after timeouts.plainMs, where that is set', async () => {
    const answer = stack.chat({ model: 'brisk' })
    await first.arrived(1)
    await clock.advance(2_100)
    expect(await (await answer).text()).toContain('from the second')
  })

  test('is a fault of that target, but not where the caller left it little time', async () => {
    const call = async (number: number, model: string, headers: Record<string, string>, ms: number) => {
      const answer = stack.chat({ model }, { headers })
      await first.arrived(number)
      await clock.advance(ms)
      expect(await (await answer).text()).toContain('from the second')
    }
    for (let number = 1; number <= 3; number++) await call(number, 'safe', { 'x-midwatch-deadline-ms': '1000' }, 600)
    expect(stack.gateway.providerStates().get('first')).toBe('ok')
    for (let number = 4; number <= 6; number++) await call(number, 'brisk', {}, 2_100)
    expect(stack.gateway.providerStates().get('first')).not.toBe('ok')
  })
})

test('a caller that hangs up before the first content ends the call to the provider', async () => {
  first.behave(() => undefined)
  const caller = new AbortController()
  const answer = stack.chat({}, { signal: caller.signal })
  const asked = await first.arrived(1)
  caller.abort()
  await expect(answer).rejects.toThrow()
  await asked.hungUp
  await expect.poll(stack.rows).toMatchObject([{ outcome: 'abandoned', usage_source: 'unknown', cost_micro_usd: null }])
})

test('a caller that does not read slows the provider, and not our memory', async () => {
  let sent = 0
  first.behave(async ({ response, hungUp }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const big = chunk({ content: 'x'.repeat(64 * 1024) })
    while (sent < 400 && !response.destroyed) {
      sent++
      if (!response.write(big)) await Promise.race([once(response, 'drain'), hungUp])
    }
  })
  const caller = new AbortController()
  await stack.chat({ stream: true }, { signal: caller.signal })
  let before: number
  do {
    before = sent
    await wait(250)
  } while (sent > before)
  expect(sent).toBeLessThan(400)
  caller.abort()
  await expect.poll(stack.rows).toMatchObject([{ outcome: 'abandoned' }])
})

test('a connection is used again after a stream that ended well', async () => {
  const ports = new Set<number | undefined>()
  first.behave(async (asked) => {
    ports.add(asked.request.socket.remotePort)
    await answers('x')(asked)
  })
  for (let i = 0; i < 5; i++) await (await stack.chat({ stream: true })).text()
  expect(ports.size).toBe(1)
})

test('a provider counts as failing while its calls fail, and the faults of callers do not count', async () => {
  const state = () => stack.metric('llm_provider_state{provider="first",state="failing"}')
  first.behave(answersStatus(400, { error: { message: 'no', type: 'invalid_request_error' } }))
  for (let i = 0; i < 4; i++) await stack.chat({})
  expect(await state()).toBe(0)
  first.behave(answersStatus(500, ''))
  for (let i = 0; i < 4; i++) await stack.chat({})
  expect(await state()).toBe(1)
  await clock.advance(121_000)
  expect(await state()).toBe(0)
})

test.each([
  ['of the model', {}, 1],
  ['that its caller chose', { 'x-midwatch-deadline-ms': '60000' }, 0],
])('a provider that lets plain calls run into the limit %s: %j, failing: %d', async (_whose, headers, failing) => {
  first.behave(() => undefined)
  const answers = [1, 2, 3].map(() => stack.chat({}, { headers: headers as Record<string, string> }))
  await first.arrived(3)
  await clock.advance(60_100)
  for (const answer of answers) expect((await answer).status).toBe(504)
  expect(await stack.metric('llm_provider_state{provider="first",state="failing"}')).toBe(failing)
})

test('weights decide who is asked first, and the others stand by', async () => {
  let draw = 0
  const other = await startStack({
    random: () => draw,
    yaml: `
providers:
  first: { kind: openai, baseUrl: "${first.baseUrl}" }
  second: { kind: openai, baseUrl: "${second.baseUrl}" }
models:
  fast: { strategy: weighted, targets: [{ provider: first, model: a, weight: 7 }, { provider: second, model: b, weight: 3 }] }
`,
  })
  const provider = async () => (await other.chat({})).headers.get('x-midwatch-provider')
  draw = 0.69
  expect(await provider()).toBe('first')
  draw = 0.71
  expect(await provider()).toBe('second')
  second.behave(answersStatus(500, ''))
  expect(await provider()).toBe('first')
  await other.stop()
})

function streams(...events: string[]): Behaviour {
  return async ({ response }) => {
    await stream(response, events)
    response.end()
  }
}

/** Reads a stream as it comes. */
class StreamReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #text = ''

  constructor(response: Response) {
    if (!response.body) throw new Error('there is no body')
    this.#reader = response.body.getReader()
  }

  async until(words: string): Promise<void> {
    while (!this.#text.includes(words)) {
      const { value, done } = await this.#reader.read()
      if (done) throw new Error(`the stream ended without "${words}": ${this.#text}`)
      this.#text += Buffer.from(value).toString('utf8')
    }
  }
}
