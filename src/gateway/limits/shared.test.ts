// Several real processes that share one Redis, and what becomes of their limits when one of them, or Redis, is gone.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../test/redis.ts'
import { requireService } from '../../../test/services.ts'
import { systemClock } from '../../core/clock.ts'
import type { LimitConfig } from '../../core/limits.ts'
import { silentLog } from '../../observe/log.ts'
import { RedisLimiter, type RedisLimiterOptions } from './redis.ts'
import { admitted, ask, refused, subject } from './testing/asks.ts'
import type { Done, Order, ProcessOptions } from './testing/process.ts'

const program = requireService('redis-server')
const PROCESS = join(import.meta.dirname, 'testing/process.ts')
let prefixes = 0

interface Peer {
  readonly child: ChildProcess
  order(order: Order): Promise<Done>
}

async function startPeer(options: ProcessOptions): Promise<Peer> {
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await lines.next()
  return {
    child,
    order: async (order) => {
      child.stdin.write(`${JSON.stringify(order)}\n`)
      const { value } = await lines.next()
      return JSON.parse(String(value)) as Done
    },
  }
}

describe.skipIf(program === undefined)('with redis-server', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis(program ?? '')
  })
  afterAll(() => server.stop())

  const limiters: RedisLimiter[] = []
  afterEach(async () => {
    await Promise.all(limiters.splice(0).map((limiter) => limiter.stop()))
  })
  async function limiterOf(more: Partial<RedisLimiterOptions> & { prefix: string }): Promise<RedisLimiter> {
    const limiter = new RedisLimiter({
      url: server.url,
      onLoss: 'refuse',
      clock: systemClock,
      log: silentLog(),
      ledger: 'here',
      spentSince: () => Promise.resolve(0),
      ...more,
    })
    limiters.push(limiter)
    await limiter.start()
    return limiter
  }

  const peers = (count: number, prefix: string, spentMicroUsd = 0) =>
    Promise.all(
      Array.from({ length: count }, (_, i) => startPeer({ url: server.url, prefix, ledger: `l${i}`, spentMicroUsd })),
    )

  test.each<[string, LimitConfig, number]>([
    ['requests', { requestsPerMinute: 100 }, 100],
    ['tokens', { tokensPerMinute: 1_050 }, 105],
    ['concurrency', { concurrency: 64 }, 64],
    ['budget, of which each had spent some before', { budgetUsd: { per: 'month', amount: 1 } }, 90],
    [
      'all of them',
      { requestsPerMinute: 500, tokensPerMinute: 5_000, concurrency: 80, budgetUsd: { per: 'week', amount: 3 } },
      80,
    ],
  ])(
    'a thousand callers over four processes: never one admission too many (%s)',
    async (_name, limits, most) => {
      const four = await peers(4, `thousand${++prefixes}:`, 25_000)
      const admit: Order = { do: 'admit', calls: 250, limits, tokens: 10, costMicroUsd: 10_000 }
      // What a process spent before Redis knew of it counts from when it first speaks of that budget: here, by a call that
      // no budget could pay.
      if (limits.budgetUsd) {
        const said = await Promise.all(four.map((peer) => peer.order({ ...admit, calls: 1, costMicroUsd: 9_000_000 })))
        expect(said.map(({ admitted }) => admitted)).toEqual([0, 0, 0, 0])
      }
      const done = await Promise.all(four.map((peer) => peer.order(admit)))
      const sum = (of: keyof Done) => done.reduce((total, one) => total + one[of], 0)
      expect([sum('admitted'), sum('refused'), sum('failed')]).toEqual([most, 1000 - most, 0])
      // And not one more afterwards, by anybody.
      const again = await Promise.all(four.map((peer) => peer.order(admit)))
      expect(again.reduce((total, one) => total + one.admitted, 0)).toBe(0)
    },
    60_000,
  )

  test('what a call did not need is free for the other processes', async () => {
    const [one, other] = (await peers(2, `free${++prefixes}:`)) as [Peer, Peer]
    const limits: LimitConfig = { tokensPerMinute: 100, concurrency: 10, budgetUsd: { per: 'day', amount: 0.1 } }
    const admit: Order = { do: 'admit', calls: 20, limits, tokens: 10, costMicroUsd: 10_000 }
    expect(await one.order(admit)).toMatchObject({ admitted: 10 })
    expect(await other.order(admit)).toMatchObject({ admitted: 0 })
    await one.order({ do: 'settle', tokens: 4, costMicroUsd: 4_000 })
    await expect.poll(() => other.order(admit)).toMatchObject({ admitted: 6 })
  }, 30_000)

  test('a process that is killed stops holding its calls within seconds, and its budget stays reserved', async () => {
    const [doomed, other] = (await peers(2, `killed${++prefixes}:`)) as [Peer, Peer]
    const limits: LimitConfig = { concurrency: 10, budgetUsd: { per: 'month', amount: 0.15 } }
    const admit: Order = { do: 'admit', calls: 20, limits, tokens: 10, costMicroUsd: 10_000 }
    expect(await doomed.order(admit)).toMatchObject({ admitted: 10 })
    expect(await other.order(admit)).toMatchObject({ admitted: 0 })
    const gone = once(doomed.child, 'exit')
    doomed.child.kill('SIGKILL')
    await gone
    // Ten more calls may be made at once now, but of the budget only five are left: nobody knows what the others cost.
    await expect.poll(() => other.order(admit), { timeout: 9_000, interval: 200 }).toMatchObject({ admitted: 5 })
    expect(await other.order(admit)).toMatchObject({ admitted: 0 })
  }, 40_000)

  test('a process that was stopped for a while and goes on counts again what it holds, and holds it once', async () => {
    const [sleeper, other] = (await peers(2, `stopped${++prefixes}:`)) as [Peer, Peer]
    const limits: LimitConfig = { concurrency: 10 }
    const admit: Order = { do: 'admit', calls: 6, limits, tokens: 1, costMicroUsd: 0 }
    expect(await sleeper.order(admit)).toMatchObject({ admitted: 6 })
    sleeper.child.kill('SIGSTOP')
    await expect.poll(async () => (await other.order(admit)).admitted, { timeout: 9_000, interval: 500 }).toBe(6)
    sleeper.child.kill('SIGCONT')
    await expect.poll(async () => (await sleeper.order({ ...admit, calls: 1 })).failed, { timeout: 5_000 }).toBe(0)
    await other.order({ do: 'settle', tokens: 1, costMicroUsd: 0 })
    await expect.poll(async () => (await other.order(admit)).admitted, { timeout: 5_000 }).toBe(4)
    await sleeper.order({ do: 'settle', tokens: 1, costMicroUsd: 0 })
    await expect.poll(async () => (await other.order(admit)).admitted, { timeout: 5_000 }).toBe(6)
  }, 60_000)

  test('a Redis that hangs holds no call for longer than a moment, and is back by itself', async () => {
    const limiter = await limiterOf({ prefix: `hung${++prefixes}:` })
    const key = subject('a', { concurrency: 1 })
    process.kill(server.pid, 'SIGSTOP')
    const fromMs = performance.now()
    await expect(limiter.admit(ask(key))).rejects.toMatchObject({ code: 'unavailable', retryAfterSeconds: 1 })
    expect(performance.now() - fromMs).toBeLessThan(2_000)
    process.kill(server.pid, 'SIGCONT')
    // The one that was given up may have been admitted in the end: it was given back.
    await expect
      .poll(async () => (await Promise.resolve(limiter.admit(ask(key))).catch(() => undefined))?.kind, {
        timeout: 9_000,
      })
      .toBe('admitted')
  }, 30_000)

  test('an abandoned wait is not admitted behind the back of the caller', async () => {
    const limiter = await limiterOf({ prefix: `gone${++prefixes}:` })
    const key = subject('a', { concurrency: 1, requestsPerMinute: 5 })
    const caller = new AbortController()
    const asking = limiter.admit(ask(key, { signal: caller.signal }))
    caller.abort(new Error('gone'))
    await expect(asking).rejects.toThrow('gone')
    expect(admitted(await limiter.admit(ask(key))).standing.requests?.remaining).toBe(4)
  })
})

describe.skipIf(program === undefined)('when Redis dies', () => {
  const limiters: RedisLimiter[] = []
  const servers: RedisServer[] = []
  afterEach(async () => {
    await Promise.all(limiters.splice(0).map((limiter) => limiter.stop()))
    await Promise.all(servers.splice(0).map((server) => server.stop()))
  })
  const start = async (port?: number): Promise<RedisServer> => {
    const server = await startRedis(program ?? '', port)
    servers.push(server)
    return server
  }
  async function limiterOf(url: string, more: Partial<RedisLimiterOptions> = {}): Promise<RedisLimiter> {
    const limiter = new RedisLimiter({
      url,
      prefix: 'p:',
      onLoss: 'refuse',
      clock: systemClock,
      log: silentLog(),
      ledger: 'here',
      spentSince: () => Promise.resolve(0),
      ...more,
    })
    limiters.push(limiter)
    await limiter.start()
    return limiter
  }
  const kindOf = async (limiter: RedisLimiter, asked: Parameters<RedisLimiter['admit']>[0]) => {
    try {
      return (await limiter.admit(asked)).kind
    } catch (error) {
      return (error as { code: string }).code
    }
  }

  test('calls are refused as 503 while it is away, at once after the first moment', async () => {
    const server = await start()
    const limiter = await limiterOf(server.url)
    expect(limiter.trouble).toBeUndefined()
    await server.stop()
    const key = subject('a', { concurrency: 1 })
    await expect(limiter.admit(ask(key))).rejects.toMatchObject({ code: 'unavailable', status: 503 })
    expect(limiter.trouble).toBeDefined()
    await wait(1_000)
    const fromMs = performance.now()
    await expect(limiter.admit(ask(key))).rejects.toMatchObject({ code: 'unavailable' })
    expect(performance.now() - fromMs).toBeLessThan(100)
  })

  test('where that is wanted, each process goes on alone, with what it knew', async () => {
    const server = await start()
    const limiter = await limiterOf(server.url, { onLoss: 'local' })
    const other = await limiterOf(server.url, { onLoss: 'local', ledger: 'there' })
    const key = subject('a', { concurrency: 3, budgetUsd: { per: 'month', amount: 1 } })
    const spend = (micro: number) => ask(key, { costMicroUsd: micro })
    admitted(await other.admit(spend(500_000))).lease.settle({ tokens: 1, costMicroUsd: 500_000 })
    const held = admitted(await limiter.admit(spend(300_000))).lease
    await server.stop()
    const alone = admitted(await limiter.admit(spend(200_000))).lease
    expect(refused(await limiter.admit(spend(1))).reason).toBe('budget')
    held.settle({ tokens: 1, costMicroUsd: 100_000 })
    admitted(await limiter.admit(spend(100_000)))
    await start(server.port)
    await expect.poll(() => limiter.trouble, { timeout: 5_000 }).toBeUndefined()
    await expect.poll(() => other.trouble, { timeout: 5_000 }).toBeUndefined()
    // What was admitted alone counts for all of them now: 0.5 + 0.1 + 0.2 + 0.1 are gone, and two calls under way.
    expect(refused(await other.admit(spend(100_001))).reason).toBe('budget')
    const last = admitted(await other.admit(spend(100_000))).lease
    expect(refused(await other.admit(spend(0)))).toMatchObject({ reason: 'concurrency' })
    alone.settle({ tokens: 1, costMicroUsd: 0 })
    last.settle({ tokens: 1, costMicroUsd: 0 })
    await expect.poll(() => kindOf(other, spend(300_000))).toBe('admitted')
  }, 30_000)

  test('a Redis that lost its memory is told again what was spent and what is under way', async () => {
    const server = await start()
    const one = await limiterOf(server.url, { ledger: 'one', spentSince: () => Promise.resolve(200_000) })
    const two = await limiterOf(server.url, { ledger: 'two', spentSince: () => Promise.resolve(300_000) })
    const key = subject('a', { concurrency: 2, budgetUsd: { per: 'month', amount: 1 } })
    const spend = (micro: number) => ask(key, { costMicroUsd: micro })
    const held = admitted(await one.admit(spend(300_000))).lease
    admitted(await two.admit(spend(100_000))).lease.settle({ tokens: 1, costMicroUsd: 100_000 })
    await server.stop()
    await start(server.port)
    // Both are back, each at its own time.
    for (const limiter of [two, one])
      await expect.poll(() => kindOf(limiter, spend(100_001)), { timeout: 9_000 }).toBe('refused')
    const second = admitted(await two.admit(spend(100_000))).lease
    expect(refused(await one.admit(spend(0)))).toMatchObject({ reason: 'concurrency' })
    // The end of a call that was admitted before the loss is not lost.
    held.settle({ tokens: 1, costMicroUsd: 100_000 })
    second.settle({ tokens: 1, costMicroUsd: 100_000 })
    await expect.poll(() => kindOf(two, spend(200_000))).toBe('admitted')
    expect(refused(await one.admit(spend(1))).reason).toBe('budget')
  }, 30_000)

  test('a connection that breaks costs nobody a call, and reserves nothing twice', async () => {
    const server = await start()
    const limiter = await limiterOf(server.url)
    const key = subject('a', { concurrency: 3 })
    const admin = new Redis(server.url)
    onTestFinished(() => admin.disconnect())
    const kinds: string[] = []
    for (let i = 0; i < 6; i++) {
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      kinds.push(await kindOf(limiter, ask(key)))
    }
    expect(kinds).toEqual(['admitted', 'admitted', 'admitted', 'refused', 'refused', 'refused'])
    await admin.flushall()
    await admin.script('FLUSH')
    await expect.poll(() => kindOf(limiter, ask(key)), { timeout: 5_000 }).toBe('refused')
  }, 30_000)

  test('a process that starts again tells its part of a budget from its ledger, and not on top of it', async () => {
    const server = await start()
    const key = subject('a', { budgetUsd: { per: 'month', amount: 1 } })
    const before = await limiterOf(server.url, { ledger: 'one' })
    admitted(await before.admit(ask(key, { costMicroUsd: 600_000 })))
    const after = await limiterOf(server.url, { ledger: 'one', spentSince: () => Promise.resolve(600_000) })
    admitted(await after.admit(ask(key, { costMicroUsd: 400_000 })))
    expect(refused(await after.admit(ask(key, { costMicroUsd: 1 }))).reason).toBe('budget')
  })

  test('without Redis at the start, it starts, says 503, and is there when Redis is', async () => {
    const server = await start()
    await server.stop()
    const limiter = await limiterOf(server.url)
    expect(await kindOf(limiter, ask(subject('a', { concurrency: 1 })))).toBe('unavailable')
    await start(server.port)
    await expect.poll(() => kindOf(limiter, ask(subject('a', { concurrency: 1 }))), { timeout: 9_000 }).toBe('admitted')
  }, 30_000)
})
