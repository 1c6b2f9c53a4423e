// Against a real receiver of OTLP over HTTP, fed by calls through the door.
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../observe/log.ts'
import { openTracing, type Tracing } from '../observe/tracing.ts'
import { type Stack, startStack } from './testing/stack.ts'
import { answersStatus, startUpstream, type Upstream } from './testing/upstream.ts'

interface Received {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code?: number }
  readonly attributes: Readonly<Record<string, unknown>>
}

async function startCollector(status = 200) {
  const bodies: string[] = []
  const headers: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      bodies.push(Buffer.concat(chunks).toString('utf8'))
      headers.push(request.headers)
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    bodies,
    headers,
    spans: (): Received[] => bodies.flatMap(readSpans),
    stop: () => new Promise((resolve) => server.close(resolve)),
  }
}

interface Value {
  readonly stringValue?: string
  readonly intValue?: number | string
  readonly doubleValue?: number
}

function readSpans(body: string): Received[] {
  const parsed = JSON.parse(body) as {
    resourceSpans: {
      scopeSpans: { spans: (Omit<Received, 'attributes'> & { attributes: { key: string; value: Value }[] })[] }[]
    }[]
  }
  return parsed.resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
    .map((span) => ({
      ...span,
      attributes: Object.fromEntries(
        span.attributes.map(({ key, value }) => [
          key,
          value.stringValue ?? value.doubleValue ?? Number(value.intValue),
        ]),
      ),
    }))
}

let first: Upstream
let second: Upstream
let stack: Stack
let collector: Awaited<ReturnType<typeof startCollector>>
let tracing: Tracing

const start = async (sampleRatio = 1, status = 200) => {
  collector = await startCollector(status)
  tracing = await openTracing({
    otlpUrl: collector.url,
    headers: { 'x-key': 'collector-key' },
    sampleRatio,
    version: '1.2.3',
    log: silentLog(),
  })
  stack = await startStack({ yaml: yaml(), tracing })
}

const yaml = () => `
providers:
  first: { kind: openai, baseUrl: "${first.baseUrl}" }
  second: { kind: openai, baseUrl: "${second.baseUrl}" }
models:
  fast:
    targets: [{ provider: first, model: a }, { provider: second, model: b, price: { inputUsd: 1, outputUsd: 1 } }]
    retries: { max: 0 }
`

beforeEach(async () => {
  first = await startUpstream()
  second = await startUpstream()
})

afterEach(async () => {
  await stack.stop()
  await collector?.stop()
  await first.stop()
  await second.stop()
})

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const PARENT = { headers: { traceparent: `00-${TRACE}-${SPAN}-01` } }

const sentTo = (upstream: Upstream) => upstream.asked.at(-1)?.request.headers['traceparent']

test('a call is a span in the caller’s trace, with a span for each try, as the conventions name what is in them', async () => {
  await start()
  first.behave(answersStatus(503, ''))
  const before = Date.now()
  await (await stack.chat({ stream: true, max_tokens: 50, temperature: 0.5 }, PARENT)).text()
  await tracing.stop()
  const spans = collector.spans()
  expect(spans).toHaveLength(3)
  const [call, failed, good] = spans
  expect(call).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, name: 'chat fast', kind: 2 })
  expect(call?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'fast',
    'gen_ai.request.max_tokens': 50,
    'gen_ai.request.temperature': 0.5,
    'gen_ai.response.model': 'gpt-real',
    'gen_ai.usage.input_tokens': 12,
    'gen_ai.usage.output_tokens': 5,
    'http.response.status_code': 200,
    'midwatch.attempts': 2,
    'midwatch.outcome': 'served',
    'midwatch.cost_usd': 17e-6,
  })
  expect(call?.attributes).not.toHaveProperty(['error.type'])
  expect(failed).toMatchObject({
    traceId: TRACE,
    parentSpanId: call?.spanId,
    name: 'chat a',
    kind: 3,
    status: { code: 2 },
  })
  expect(failed?.attributes).toMatchObject({
    'error.type': 'upstream_5xx',
    'http.response.status_code': 503,
    'gen_ai.request.model': 'a',
    'midwatch.attempt.reason': 'first',
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(first.baseUrl).port),
  })
  expect(good?.attributes).toMatchObject({
    'gen_ai.response.model': 'gpt-real',
    'midwatch.attempt.reason': 'failover',
    'midwatch.attempt.end': 'completed',
  })
  // The tokens of a trace add up.
  expect(spans.filter(({ attributes }) => 'gen_ai.usage.input_tokens' in attributes)).toHaveLength(1)
  expect(sentTo(first)).toBe(`00-${TRACE}-${failed?.spanId}-01`)
  expect(sentTo(second)).toBe(`00-${TRACE}-${good?.spanId}-01`)
  const [from, to] = [Number(call?.startTimeUnixNano) / 1e6, Number(call?.endTimeUnixNano) / 1e6]
  expect(from).toBeGreaterThanOrEqual(before - 1)
  expect(to).toBeLessThanOrEqual(Date.now() + 1)
  for (const { startTimeUnixNano, endTimeUnixNano } of [failed, good].filter((span) => span !== undefined)) {
    expect(Number(startTimeUnixNano) / 1e6).toBeGreaterThanOrEqual(from)
    expect(Number(endTimeUnixNano) / 1e6).toBeLessThanOrEqual(to)
  }
  expect(collector.headers[0]?.['x-key']).toBe('collector-key')
  expect(collector.bodies[0]).toContain('"midwatch"')
})

test('no word of what was asked or answered is in a span, nor a name that a caller made up', async () => {
  await start()
  const messages = [{ role: 'user', content: 'the secret of the pyramids' }]
  await (await stack.chat({ messages, user: 'jo@example.com' })).text()
  await (await stack.chat({ messages, model: 'made-up-name' })).text()
  await (await stack.chat('{"model": "fast", "messages": "the secret of the pyramids"}')).text()
  await tracing.stop()
  expect(collector.spans().map(({ name }) => name)).toEqual(['chat fast', 'chat a', 'chat', 'chat'])
  expect(collector.spans().map(({ attributes }) => attributes['error.type'])).toEqual([
    undefined,
    undefined,
    'unknown_model',
    'malformed',
  ])
  expect(collector.bodies.join('')).not.toMatch(/secret|pyramids|Hello|jo@example|made-up/)
})

test('whoever began the trace has decided whether it is kept; of the others a share is', async () => {
  await start(0)
  await (await stack.chat({})).text()
  expect(sentTo(first)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  await (await stack.chat({}, { headers: { traceparent: `00-${TRACE}-${SPAN}-00` } })).text()
  expect(sentTo(first)).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  await (await stack.chat({}, PARENT)).text()
  await (await stack.chat({}, { headers: { traceparent: 'nonsense' } })).text()
  await tracing.stop()
  expect(collector.spans().map(({ traceId, name }) => [traceId, name])).toEqual([
    [TRACE, 'chat fast'],
    [TRACE, 'chat a'],
  ])
})

test('a collector that refuses or is away disturbs no call', async () => {
  await start(1, 500)
  await collector.stop()
  for (let i = 0; i < 50; i++) expect((await stack.chat({})).status).toBe(200)
  await tracing.stop()
}, 30_000)

test('without a collector providers are told of no trace', async () => {
  stack = await startStack({ yaml: yaml() })
  await (await stack.chat({}, PARENT)).text()
  expect(sentTo(first)).toBeUndefined()
})
