// What every limiter guarantees, in process and in Redis.
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { requireService } from '../../../test/services.ts'
import { type RedisServer, startRedis } from '../../../test/redis.ts'
import { type Clock, ManualClock, systemClock } from '../../core/clock.ts'
import { silentLog } from '../../observe/log.ts'
import { InProcessLimiter } from './in-process.ts'
import type { Limiter } from './limiter.ts'
import { RedisLimiter } from './redis.ts'
import { type SpentSince, Spending } from './spending.ts'
import { admitted, ask, refused, subject } from './testing/asks.ts'

interface Bench {
  limiter(spentSince: SpentSince): Promise<Limiter>
  /** Of the clock that the limiter goes by. */
  nowMs(): number
  advance(ms: number): Promise<void>
  stop(): Promise<void>
}

/** The middle of a month, of a day, of an hour and of a second. */
const NOON = Date.UTC(2026, 10, 18, 12, 30, 30, 500)

function inProcess(): Promise<Bench> {
  const clock = new ManualClock(NOON)
  return Promise.resolve({
    limiter: (spentSince) => Promise.resolve(new InProcessLimiter(clock, new Spending(spentSince, clock))),
    nowMs: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    stop: () => Promise.resolve(),
  })
}

const redisServer = requireService('redis-server')

let server: RedisServer | undefined
let benches = 0

afterAll(() => server?.stop())

async function inRedis(): Promise<Bench> {
  server ??= await startRedis(redisServer ?? '')
  const { url } = server
  const prefix = `test${++benches}:`
  let aheadMs = NOON - Date.now()
  const limiters: RedisLimiter[] = []
  const clock: Clock = { now: () => Date.now() + aheadMs, sleep: (ms, signal) => systemClock.sleep(ms, signal) }
  return {
    limiter: async (spentSince) => {
      const limiter = new RedisLimiter({
        url,
        prefix,
        onLoss: 'refuse',
        clock,
        log: silentLog(),
        ledger: `ledger${limiters.length}`,
        spentSince,
        aheadMs: () => aheadMs,
      })
      limiters.push(limiter)
      await limiter.start()
      return limiter
    },
    nowMs: () => Date.now() + aheadMs,
    advance: (ms) => {
      aheadMs += ms
      return Promise.resolve()
    },
    stop: async () => {
      await Promise.all(limiters.map((limiter) => limiter.stop()))
    },
  }
}

const nothingSpent: SpentSince = () => Promise.resolve(0)

describe.each([
  { name: 'in process', make: inProcess, skip: false },
  { name: 'in Redis', make: inRedis, skip: redisServer === undefined },
])('$name', ({ make, skip }) => {
  if (skip) {
    test.skip('needs redis-server', () => undefined)
    return
  }
  let bench: Bench
  let limiter: Limiter
  beforeEach(async () => {
    bench = await make()
    limiter = await bench.limiter(nothingSpent)
  })
  afterEach(() => bench.stop())

  test('of a thousand calls at once exactly as many pass as a minute allows, and the refused are not counted', async () => {
    const key = subject('a', { requestsPerMinute: 100 })
    const decisions = await Promise.all(Array.from({ length: 1000 }, async () => limiter.admit(ask(key))))
    expect(decisions.filter(({ kind }) => kind === 'admitted')).toHaveLength(100)
    expect(refused(await limiter.admit(ask(key)))).toMatchObject({ reason: 'requests', subject: { value: 'a' } })
    await bench.advance(61_000)
    admitted(await limiter.admit(ask(key)))
  })

  test('the wait that a refusal names is the truth: before it there is no room, and after it there is', async () => {
    const key = subject('a', { requestsPerMinute: 2 })
    admitted(await limiter.admit(ask(key)))
    await bench.advance(20_000)
    admitted(await limiter.admit(ask(key)))
    await bench.advance(10_000)
    const { retryAfterSeconds } = refused(await limiter.admit(ask(key)))
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(30)
    expect(retryAfterSeconds).toBeLessThanOrEqual(31)
    await bench.advance(29_000)
    refused(await limiter.admit(ask(key)))
    await bench.advance(2_000)
    admitted(await limiter.admit(ask(key)))
    refused(await limiter.admit(ask(key)))
  })

  test('tokens are reserved at their worst and given back when the call is over', async () => {
    const key = subject('a', { tokensPerMinute: 1000 })
    const { lease, standing } = admitted(await limiter.admit(ask(key, { tokens: 900 })))
    expect(standing).toMatchObject({ requests: undefined, tokens: { limit: 1000, remaining: 100 } })
    expect(refused(await limiter.admit(ask(key, { tokens: 200 })))).toMatchObject({ reason: 'tokens' })
    lease.settle({ tokens: 300, costMicroUsd: 0 })
    admitted(await limiter.admit(ask(key, { tokens: 700 })))
    refused(await limiter.admit(ask(key, { tokens: 1 })))
  })

  test('tokens that nobody could count stay reserved', async () => {
    const key = subject('a', { tokensPerMinute: 1000 })
    admitted(await limiter.admit(ask(key, { tokens: 900 }))).lease.settle({ tokens: null, costMicroUsd: null })
    refused(await limiter.admit(ask(key, { tokens: 200 })))
  })

  test('a call that needs more tokens than the whole limit is told that waiting does not help', async () => {
    const key = subject('a', { tokensPerMinute: 1000 })
    const { retryAfterSeconds, message } = refused(await limiter.admit(ask(key, { tokens: 1001 })))
    expect(retryAfterSeconds).toBeNull()
    expect(message).toContain('max_tokens')
  })

  test('calls under way are counted until they end, and an end counts once', async () => {
    const key = subject('a', { concurrency: 2 })
    const first = admitted(await limiter.admit(ask(key))).lease
    const second = admitted(await limiter.admit(ask(key))).lease
    expect(refused(await limiter.admit(ask(key)))).toMatchObject({ reason: 'concurrency', retryAfterSeconds: 1 })
    first.settle({ tokens: 1, costMicroUsd: 1 })
    first.settle({ tokens: 1, costMicroUsd: 1 })
    first.cancel()
    const third = admitted(await limiter.admit(ask(key))).lease
    refused(await limiter.admit(ask(key)))
    second.cancel()
    third.cancel()
    admitted(await limiter.admit(ask(key)))
    admitted(await limiter.admit(ask(key)))
    refused(await limiter.admit(ask(key)))
  })

  test('a call that was never made gives everything back, its request too', async () => {
    const key = subject('a', {
      requestsPerMinute: 1,
      tokensPerMinute: 10,
      concurrency: 1,
      budgetUsd: { per: 'day', amount: 1e-6 },
    })
    for (let i = 0; i < 3; i++) admitted(await limiter.admit(ask(key))).lease.cancel()
    admitted(await limiter.admit(ask(key)))
    refused(await limiter.admit(ask(key)))
  })

  test('either all subjects have room or none is charged', async () => {
    const model = subject('m', { requestsPerMinute: 3 }, 'model')
    const poor = subject('poor', { requestsPerMinute: 1 })
    const rich = subject('rich', { requestsPerMinute: 100, concurrency: 100 })
    admitted(await limiter.admit(ask([poor, model])))
    for (let i = 0; i < 5; i++) {
      expect(refused(await limiter.admit(ask([poor, model]))).subject.value).toBe('poor')
    }
    admitted(await limiter.admit(ask([rich, model])))
    admitted(await limiter.admit(ask([rich, model])))
    expect(refused(await limiter.admit(ask([rich, model]))).subject.value).toBe('m')
    const { standing } = admitted(await limiter.admit(ask(rich)))
    expect(standing.requests?.remaining).toBe(97)
  })

  test('the refusal that is told is the one that lasts longest', async () => {
    const key = subject('a', { concurrency: 1 })
    const model = subject('m', { requestsPerMinute: 1 }, 'model')
    admitted(await limiter.admit(ask([key, model])))
    expect(refused(await limiter.admit(ask([key, model])))).toMatchObject({ reason: 'requests' })
  })

  test('of a budget not a cent more is reserved than there is, and what was not needed is free again', async () => {
    const key = subject('a', { budgetUsd: { per: 'month', amount: 1 } })
    const leases = []
    for (let i = 0; i < 4; i++) {
      leases.push(admitted(await limiter.admit(ask(key, { costMicroUsd: 250_000 }))).lease)
    }
    const soon = refused(await limiter.admit(ask(key, { costMicroUsd: 0.001 })))
    expect(soon).toMatchObject({ reason: 'budget', retryAfterSeconds: 1 })
    for (const lease of leases) lease.settle({ tokens: 1, costMicroUsd: 249_999.999 })
    admitted(await limiter.admit(ask(key, { costMicroUsd: 0.004 })))
    refused(await limiter.admit(ask(key, { costMicroUsd: 0.001 })))
  })

  test('a budget that is spent begins anew with its period, and the refusal says when', async () => {
    const key = subject('a', { budgetUsd: { per: 'hour', amount: 1 } })
    admitted(await limiter.admit(ask(key, { costMicroUsd: 1e6 }))).lease.settle({ tokens: 1, costMicroUsd: 1e6 })
    const { retryAfterSeconds } = refused(await limiter.admit(ask(key)))
    expect(retryAfterSeconds).toBeGreaterThan(29 * 60 - 10)
    expect(retryAfterSeconds).toBeLessThanOrEqual(29 * 60 + 30)
    await bench.advance(29 * 60_000 + 30_000)
    admitted(await limiter.admit(ask(key, { costMicroUsd: 1e6 })))
    refused(await limiter.admit(ask(key)))
  })

  test('the cost of a call belongs to the period in which it began', async () => {
    const key = subject('a', { budgetUsd: { per: 'hour', amount: 1 } })
    const { lease } = admitted(await limiter.admit(ask(key, { costMicroUsd: 1e6 })))
    await bench.advance(3_600_000)
    admitted(await limiter.admit(ask(key, { costMicroUsd: 500_000 })))
    lease.settle({ tokens: 1, costMicroUsd: 100 })
    admitted(await limiter.admit(ask(key, { costMicroUsd: 500_000 })))
    refused(await limiter.admit(ask(key, { costMicroUsd: 1 })))
  })

  test('a cost that nobody knows counts as its worst case', async () => {
    const key = subject('a', { budgetUsd: { per: 'day', amount: 1 } })
    const { lease } = admitted(await limiter.admit(ask(key, { costMicroUsd: 1e6 })))
    expect(lease.reservedMicroUsd).toBe(1e6)
    lease.settle({ tokens: null, costMicroUsd: null })
    expect(refused(await limiter.admit(ask(key, { costMicroUsd: 1 }))).retryAfterSeconds).toBeGreaterThan(60)
  })

  test('under a budget a call without a known price is refused, and told what to configure', async () => {
    const key = subject('a', { budgetUsd: { per: 'day', amount: 1 } })
    const decision = refused(await limiter.admit(ask([key, subject('m', {}, 'model')], { costMicroUsd: null })))
    expect(decision).toMatchObject({ reason: 'unknown-price', retryAfterSeconds: null })
    expect(decision.message).toMatch(/the model m .*price: \{ inputUsd/)
    admitted(await limiter.admit(ask(subject('b', { requestsPerMinute: 1 }), { costMicroUsd: null })))
  })

  test('what was spent before the start is known from the ledger, and asked for once', async () => {
    const asked: number[] = []
    const limiter = await bench.limiter((who, fromMs) => {
      asked.push(fromMs)
      return Promise.resolve(who.value === 'old' ? 600_000 : 0)
    })
    const key = subject('old', { budgetUsd: { per: 'month', amount: 1 } })
    const decisions = await Promise.all(
      Array.from({ length: 10 }, async () => limiter.admit(ask(key, { costMicroUsd: 100_000 }))),
    )
    expect(decisions.filter(({ kind }) => kind === 'admitted')).toHaveLength(4)
    expect(asked).toEqual([Date.UTC(2026, 10, 1)])
  })

  test('while the ledger cannot be read, nothing passes a budget, and afterwards it is asked again', async () => {
    let away = true
    const limiter = await bench.limiter(() => (away ? Promise.reject(new Error('no disk')) : Promise.resolve(0)))
    const key = subject('a', { budgetUsd: { per: 'month', amount: 1 } })
    await expect(limiter.admit(ask(key))).rejects.toMatchObject({ code: 'unavailable', status: 503 })
    admitted(await limiter.admit(ask(subject('b', { requestsPerMinute: 1 }))))
    away = false
    admitted(await limiter.admit(ask(key)))
  })

  test('a caller who goes away while the ledger is asked reserves nothing', async () => {
    let answer: (micro: number) => void = () => undefined
    const limiter = await bench.limiter(() => new Promise((resolve) => (answer = resolve)))
    const key = subject('a', { requestsPerMinute: 1, budgetUsd: { per: 'month', amount: 1 } })
    const gone = new AbortController()
    const asking = limiter.admit(ask(key, { signal: gone.signal }))
    gone.abort(new Error('gone'))
    await expect(asking).rejects.toThrow('gone')
    answer(0)
    admitted(await limiter.admit(ask(key)))
  })

  test('limits that change take effect at the next call', async () => {
    const before = subject('a', { requestsPerMinute: 1 })
    admitted(await limiter.admit(ask(before)))
    refused(await limiter.admit(ask(before)))
    const after = subject('a', { requestsPerMinute: 2 })
    admitted(await limiter.admit(ask(after)))
    refused(await limiter.admit(ask(after)))
    admitted(await limiter.admit(ask(subject('a', {}))))
  })

  test('the standing says what is left, and when all of it is', async () => {
    const key = subject('a', { requestsPerMinute: 10, tokensPerMinute: 100 })
    const model = subject('m', { requestsPerMinute: 5 }, 'model')
    const { standing } = admitted(await limiter.admit(ask([key, model])))
    expect(standing).toMatchObject({ requests: { limit: 5, remaining: 4 }, tokens: { limit: 100, remaining: 90 } })
    expect(standing.requests?.resetMs).toBeGreaterThan(59_000)
    expect(standing.requests?.resetMs).toBeLessThanOrEqual(61_000)
    const none = admitted(await limiter.admit(ask(subject('b', { concurrency: 1 })))).standing
    expect(none).toEqual({ requests: undefined, tokens: undefined })
  })
})
