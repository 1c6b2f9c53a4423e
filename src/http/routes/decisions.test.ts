// What became of a call can be read afterwards, with the reasons, by whoever made it.
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RequestDetail } from '../../gateway/request-log.ts'
import { type Stack, startStack } from '../../gateway/testing/stack.ts'
import {
  answers,
  answersStatus,
  chunk,
  cutsAfter,
  startUpstream,
  type Upstream,
} from '../../gateway/testing/upstream.ts'

let first: Upstream
let second: Upstream
let stack: Stack

const yaml = () => `
providers:
  first: { kind: openai, baseUrl: "${first.baseUrl}" }
  second: { kind: openai, baseUrl: "${second.baseUrl}" }
models:
  fast:
    targets:
      - { provider: first, model: a, price: { inputUsd: 1, outputUsd: 1 } }
      - { provider: second, model: b, price: { inputUsd: 1, outputUsd: 1 } }
    retries: { max: 1, backoffMs: 1 }
    timeouts: { totalMs: 60000 }
  hedged:
    targets: [{ provider: first, model: a }, { provider: second, model: b }]
    hedge: { share: 0.5, afterMs: 40 }
  kept:
    targets: [{ provider: second, model: b }]
    cache: { mode: exact }
  tight:
    targets: [{ provider: second, model: b }]
    limits: { requestsPerMinute: 1 }
  texts:
    targets: [{ provider: second, model: b, lacks: [tools] }, { provider: first, model: a }]
`

beforeEach(async () => {
  first = await startUpstream()
  second = await startUpstream()
  stack = await startStack({ yaml: yaml() })
})

afterEach(async () => {
  await stack.stop()
  await first.stop()
  await second.stop()
})

/** Makes a call, and reads what became of it as its caller would. */
async function call(body: Record<string, unknown>, headers: Record<string, string> = {}): Promise<RequestDetail> {
  const response = await stack.chat(body, { headers })
  await response.text()
  return await read(response.headers.get('x-request-id') ?? '')
}

async function read(id: string): Promise<RequestDetail> {
  const answer = await fetch(`${stack.url}/v1/requests/${id}`)
  expect(answer.status).toBe(200)
  return (await answer.json()) as RequestDetail
}

test('a call that went well tells whom it could have asked, whom it asked, what that cost and by whose price', async () => {
  const { decision, costSource, costUsd } = await call({}, { 'x-midwatch-deadline-ms': '30000' })
  expect([costSource, costUsd]).toEqual(['config', 17e-6])
  expect(decision).toEqual({
    strategy: 'first',
    candidates: [
      { of: 'fast', provider: 'first', model: 'a', score: null, skipped: null },
      { of: 'fast', provider: 'second', model: 'b', score: null, skipped: null },
    ],
    attempts: [
      {
        provider: 'first',
        model: 'a',
        reason: 'first',
        startedMs: expect.any(Number),
        connectMs: expect.any(Number),
        firstContentMs: expect.any(Number),
        tookMs: expect.any(Number),
        end: 'completed',
        breaker: 'closed',
        usage: expect.objectContaining({ inputTokens: 12, outputTokens: 5 }),
        usageSource: 'measured',
        costMicroUsd: 17,
      },
    ],
    hedged: false,
    rescued: null,
    limit: null,
    cache: 'off',
    costSource: 'config',
    deadlineMs: 30_000,
    timeLeftMs: expect.any(Number),
    queuedMs: 0,
  })
  expect(decision?.timeLeftMs).toBeLessThanOrEqual(30_000)
  expect(decision?.timeLeftMs).toBeGreaterThan(0)
})

test('a retry and a failover are told with what the failed tries came to', async () => {
  first.behave(({ call, ...asked }) =>
    answersStatus(call === 1 ? 503 : 429, '', call === 1 ? {} : { 'retry-after': '7' })({ call, ...asked }),
  )
  const { decision, attempts } = await call({})
  expect(attempts).toBe(3)
  expect(decision?.attempts).toMatchObject([
    { provider: 'first', reason: 'first', end: 'upstream_5xx', status: 503, usage: null, usageSource: 'unknown' },
    { provider: 'first', reason: 'retry', end: 'upstream_rate_limited', status: 429, retryAfterMs: 7000 },
    { provider: 'second', reason: 'failover', end: 'completed' },
  ])
  const started = decision?.attempts.map(({ startedMs }) => startedMs) ?? []
  expect(started).toEqual(started.toSorted((a, b) => a - b))
  // What the provider asked for is kept: it stands aside for the next call.
  const next = await call({})
  expect(next.decision?.candidates).toMatchObject([
    { provider: 'second', skipped: null },
    { provider: 'first', skipped: 'breaker open' },
  ])
})

test('a breaker that is open is told, also of a call that nobody was left to answer', async () => {
  first.behave(answersStatus(429, '', { 'retry-after': '30' }))
  second.behave(answersStatus(429, '', { 'retry-after': '30' }))
  // There is no time to wait for so long.
  expect(await call({}, { 'x-midwatch-deadline-ms': '20000' })).toMatchObject({ outcome: 'failed', status: 429 })
  const refused = await call({})
  expect(refused).toMatchObject({
    outcome: 'refused',
    error: 'breaker_open',
    status: 503,
    attempts: 0,
    costSource: null,
  })
  expect(refused.decision).toMatchObject({
    candidates: [{ skipped: 'breaker open' }, { skipped: 'breaker open' }],
    attempts: [],
    costSource: null,
  })
})

test('an answer that was made whole elsewhere says so, and what each half used', async () => {
  first.behave(cutsAfter(chunk({ role: 'assistant', content: '' }), chunk({ content: 'One, two, ' })))
  second.behave(answers('One, ', 'two, three.'))
  const { decision } = await call({ stream: true })
  expect(decision).toMatchObject({
    rescued: 'splice',
    attempts: [
      { reason: 'first', end: 'upstream_cut', usageSource: 'estimated' },
      { reason: 'rescue', end: 'completed', usageSource: 'measured' },
    ],
  })
  const whole = await call({ stream: true }, { 'x-midwatch-on-cut': 'restart' })
  expect(whole.decision).toMatchObject({ rescued: 'restart', attempts: [{ end: 'upstream_cut' }, {}, {}] })
})

test('of an answer that was cut and not gone on with it is told why nobody was asked', async () => {
  first.behave(cutsAfter(chunk({ role: 'assistant', content: '' }), chunk({ content: 'One, two, ' })))
  const unasked = async (body: Record<string, unknown>, headers: Record<string, string> = {}) =>
    (await call({ stream: true, ...body }, headers)).decision
  expect(await unasked({}, { 'x-midwatch-on-cut': 'fail' })).toMatchObject({
    rescued: null,
    unrescued: 'not asked for',
  })
  expect(await unasked({ n: 2 })).toMatchObject({ rescued: null, unrescued: 'several choices' })
  second.behave(answers('Something else'))
  const asked = await unasked({})
  expect(asked).toMatchObject({ rescued: null, attempts: [{}, { reason: 'rescue', end: 'upstream_cut' }] })
  expect(asked).not.toHaveProperty('unrescued')
})

test('a hedge is told with the loser', async () => {
  first.behave(answers('quick'))
  for (let i = 0; i < 25; i++) await (await stack.chat({ model: 'hedged', stream: true })).text()
  first.behave(() => undefined)
  const { decision, provider } = await call({ model: 'hedged', stream: true })
  expect(provider).toBe('second')
  expect(decision).toMatchObject({
    hedged: true,
    attempts: [
      { provider: 'first', reason: 'first', end: 'hedge-lost', firstContentMs: null },
      { provider: 'second', reason: 'hedge', end: 'completed' },
    ],
  })
  expect(decision?.attempts[1]?.startedMs).toBeGreaterThan(39)
  // The loser may charge for what it was asked, and nobody knows what.
  expect((await stack.rows()).at(-1)).toMatchObject({ usage_source: 'estimated', outcome: 'served' })
})

test('an answer out of the cache asked nobody and cost nothing', async () => {
  expect((await call({ model: 'kept' })).decision).toMatchObject({ cache: 'miss', attempts: [{}] })
  const hit = await call({ model: 'kept' })
  expect(hit).toMatchObject({ cache: 'hit', costUsd: 0, costSource: null, attempts: 0 })
  expect(hit.decision).toMatchObject({ cache: 'hit', attempts: [], costSource: null })
})

test('a refusal tells whose limit it was, or that the model is unknown, and asked nobody', async () => {
  await call({ model: 'tight' })
  const limited = await call({ model: 'tight' })
  expect(limited).toMatchObject({ outcome: 'refused', error: 'limited', status: 429, attempts: 0 })
  expect(limited.decision).toMatchObject({
    limit: { reason: 'requests', subject: 'model' },
    candidates: [{ provider: 'second' }],
    attempts: [],
  })
  const unknown = await call({ model: 'nope' })
  expect(unknown).toMatchObject({ outcome: 'refused', error: 'unknown_model', status: 404 })
  expect(unknown.decision).toMatchObject({
    strategy: null,
    candidates: [],
    attempts: [],
    deadlineMs: null,
    limit: null,
  })
})

test('who cannot serve a request is told with what it lacks', async () => {
  const tools = [{ type: 'function', function: { name: 'clock', parameters: { type: 'object' } } }]
  const { decision } = await call({ model: 'texts', tools })
  expect(decision?.candidates).toMatchObject([
    { provider: 'first', skipped: null },
    { provider: 'second', skipped: 'lacks tools' },
  ])
})

test('a call that waited to be let in says how long', async () => {
  await stack.stop()
  stack = await startStack({ yaml: `${yaml()}overload: { maxActive: 1 }` })
  const release = Promise.withResolvers<void>()
  first.behave(async (asked) => {
    if (asked.call === 1) await release.promise
    await answers('Hello')(asked)
  })
  const before = call({})
  await first.arrived(1)
  const after = call({})
  await wait(60)
  release.resolve()
  expect((await before).decision?.queuedMs).toBe(0)
  expect((await after).decision?.queuedMs).toBeGreaterThan(20)
})

test('of those who shared a call, one tells whom it asked, and the others that they shared it', async () => {
  await stack.stop()
  stack = await startStack({ yaml: yaml().replace('cache: { mode: exact }', 'coalesce: true') })
  const release = Promise.withResolvers<void>()
  second.behave(async (asked) => {
    await release.promise
    await answers('Hello')(asked)
  })
  const both = [call({ model: 'kept' }), call({ model: 'kept' })]
  await second.arrived(1)
  await expect.poll(() => stack.metric('midwatch_queue_length')).toBe(2)
  release.resolve()
  const told = (await Promise.all(both)).map(({ decision }) => [decision?.cache, decision?.attempts.length])
  expect(told.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).toEqual([
    ['off', 1],
    ['shared', 0],
  ])
})
