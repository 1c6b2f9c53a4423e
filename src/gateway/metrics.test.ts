// The names and labels that dashboards and alert rules are written against.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Stack, startStack } from './testing/stack.ts'
import { answers, answersStatus, startUpstream, type Upstream } from './testing/upstream.ts'

let upstream: Upstream
let spare: Upstream
let stack: Stack

beforeEach(async () => {
  upstream = await startUpstream()
  spare = await startUpstream()
  stack = await startStack({
    yaml: `
providers:
  main: { kind: openai, baseUrl: "${upstream.baseUrl}" }
  spare: { kind: openai, baseUrl: "${spare.baseUrl}" }
models:
  fast:
    targets:
      - { provider: main, model: gpt-real, price: { inputUsd: 1, outputUsd: 1 } }
      - { provider: spare, model: gpt-spare }
    retries: { max: 1, backoffMs: 1 }
    cache: { mode: exact }
  tight: { targets: [{ provider: main, model: gpt-real }], limits: { requestsPerMinute: 1 } }
overload: { maxActive: 1, maxQueued: 0 }
`,
  })
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
  await spare.stop()
})

const CALLS = {
  llm_requests_total: ['endpoint', 'model', 'status'],
  llm_request_duration_seconds: ['endpoint', 'model'],
  llm_tokens_total: ['model', 'type'],
  llm_cost_total_usd: ['model', 'provider'],
  llm_active_requests: ['model'],
  llm_errors_total: ['error_type', 'model'],
  llm_time_to_first_token_seconds: ['model'],
  llm_gateway_overhead_seconds: [],
  llm_cache_total: ['result'],
  llm_attempts_total: ['provider', 'reason', 'result'],
  llm_provider_state: ['provider', 'state'],
  llm_breaker_state: ['model', 'provider', 'state'],
  midwatch_limit_refusals_total: ['reason', 'subject'],
  midwatch_shed_total: ['reason'],
  midwatch_queue_length: [],
  midwatch_queue_waiting: [],
  midwatch_arrival_rate: [],
  midwatch_time_in_system_seconds: [],
  midwatch_ledger_pending_rows: [],
}

/** Every series by its metric, as the labels of its lines; histograms by their count. */
async function series(): Promise<Map<string, Record<string, string>[]>> {
  const found = new Map<string, Record<string, string>[]>()
  for (const line of (await stack.metrics.metrics()).split('\n')) {
    const [, name = '', labels = ''] = /^([a-z_]+)(?:\{(.*)\})? /.exec(line) ?? []
    if (name === '' || /_(bucket|sum)$/.test(name)) continue
    const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value])
    const family = name.replace(/_count$/, '')
    found.set(family, [...(found.get(family) ?? []), Object.fromEntries(pairs) as Record<string, string>])
  }
  return found
}

test('every metric of the gateway is there, with the labels that are promised and no others', async () => {
  await (await stack.chat({ stream: true })).text()
  upstream.behave(answersStatus(500, ''))
  await (await stack.chat({ messages: [{ role: 'user', content: 'Other' }] })).text()
  await (await stack.chat({ model: 'tight' })).text()
  await (await stack.chat({ model: 'tight' })).text()
  const found = await series()
  for (const [name, labels] of Object.entries(CALLS)) {
    expect(found.get(name), name).toBeDefined()
    for (const one of found.get(name) ?? []) expect(Object.keys(one).sort(), name).toEqual(labels)
  }
})

test('retries, failovers and refusals are counted by what they are', async () => {
  upstream.behave(({ call, ...asked }) => answersStatus(call === 1 ? 500 : 429, '')({ call, ...asked }))
  await (await stack.chat({})).text()
  expect(await stack.metric('llm_attempts_total{provider="main",reason="first",result="upstream_5xx"}')).toBe(1)
  expect(await stack.metric('llm_attempts_total{provider="main",reason="retry",result="upstream_rate_limited"}')).toBe(
    1,
  )
  expect(await stack.metric('llm_attempts_total{provider="spare",reason="failover",result="completed"}')).toBe(1)
  await (await stack.chat({})).text()
  expect(await stack.metric('llm_cache_total{result="hit"}')).toBe(1)
  for (let i = 0; i < 3; i++) await (await stack.chat({ model: 'tight' })).text()
  expect(await stack.metric('midwatch_limit_refusals_total{reason="requests",subject="model"}')).toBe(2)
})

test('a name that a caller made up becomes no label', async () => {
  await stack.chat({})
  const before = [...(await series()).values()].flat().length
  for (let i = 0; i < 20; i++) {
    expect((await stack.chat({ model: `made-up-${i}` })).status).toBe(404)
    expect((await stack.chat(`{"model": "broken-${i}"`)).status).toBe(400)
  }
  const text = await stack.metrics.metrics()
  expect(text).not.toMatch(/made-up|broken/)
  expect(await stack.metric('llm_requests_total{model="unknown",endpoint="/v1/chat/completions",status="404"}')).toBe(
    20,
  )
  // A series for each metric, not for each name.
  expect([...(await series()).values()].flat().length - before).toBeLessThan(15)
})

test('L, λ and W are those of the calls at the door, and who is sent away is counted by why', async () => {
  expect((await series()).has('midwatch_time_in_system_seconds')).toBe(false)
  const release = Promise.withResolvers<void>()
  upstream.behave(async (asked) => {
    await release.promise
    await answers('Hello')(asked)
  })
  const under = stack.chat({})
  await upstream.arrived(1)
  expect(await stack.metric('midwatch_queue_length')).toBe(1)
  expect((await stack.chat({})).status).toBe(503)
  expect(await stack.metric('midwatch_shed_total{reason="full"}')).toBe(1)
  release.resolve()
  await (await under).text()
  expect(await stack.metric('midwatch_queue_length')).toBe(0)
  expect(await stack.metric('midwatch_arrival_rate')).toBeGreaterThan(0)
  expect(await stack.metric('midwatch_time_in_system_seconds')).toBeGreaterThan(0)
})

test('a provider that left the config leaves no gauge behind', async () => {
  await stack.chat({})
  stack.gateway.reload({
    ...stack.config,
    providers: { main: stack.config.providers['main'] as never },
    models: {
      fast: { ...(stack.config.models['fast'] as never as object), targets: [stack.config.models['fast']?.targets[0]] },
    } as never,
  })
  const text = await stack.metrics.metrics()
  expect(text).toContain('llm_provider_state{provider="main",state="ok"} 1')
  expect(text).toContain('llm_breaker_state{provider="main",model="gpt-real",state="closed"} 1')
  expect(text).not.toContain('_state{provider="spare"')
})
