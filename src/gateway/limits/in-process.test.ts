import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import type { LimitConfig } from '../../core/limits.ts'
import { InProcessLimiter } from './in-process.ts'
import type { Decision, Lease } from './limiter.ts'
import { type SpentSince, Spending } from './spending.ts'
import { admitted, ask, subject } from './testing/asks.ts'

const limiterAt = (clock: ManualClock, spending = new Spending(() => Promise.resolve(0), clock)) =>
  new InProcessLimiter(clock, spending)

test('a decision that can be made at once is made at once', async () => {
  const clock = new ManualClock()
  const limiter = limiterAt(clock)
  const key = subject('a', { requestsPerMinute: 5, budgetUsd: { per: 'day', amount: 1 } })
  // Only the first has to ask the ledger.
  const first = limiter.admit(ask(key))
  expect(first).toBeInstanceOf(Promise)
  await first
  expect((limiter.admit(ask(key)) as Decision).kind).toBe('admitted')
})

test('what was learnt before the first call is not asked for again', async () => {
  const clock = new ManualClock()
  const limiter = limiterAt(clock)
  const key = subject('a', { budgetUsd: { per: 'day', amount: 1 } })
  await limiter.prepare([key])
  expect((limiter.admit(ask(key)) as Decision).kind).toBe('admitted')
})

/** The rules, as simply as they can be said: a list of everything that was ever admitted. */
class Model {
  readonly calls: { id: string; atMs: number; tokens: number; micro: number; open: boolean; gone: boolean }[] = []

  fits(id: string, limits: LimitConfig, nowMs: number, tokens: number, micro: number): boolean {
    const mine = this.calls.filter((call) => call.id === id && !call.gone)
    const second = Math.floor(nowMs / 1000)
    const minute = mine.filter(({ atMs }) => second - Math.floor(atMs / 1000) <= 60)
    const sum = (values: number[]) => values.reduce((total, one) => total + one, 0)
    const hour = mine.filter(({ atMs }) => Math.floor(atMs / 3_600_000) === Math.floor(nowMs / 3_600_000))
    return (
      minute.length + 1 <= (limits.requestsPerMinute ?? Infinity) &&
      sum(minute.map((call) => call.tokens)) + tokens <= (limits.tokensPerMinute ?? Infinity) &&
      mine.filter(({ open }) => open).length + 1 <= (limits.concurrency ?? Infinity) &&
      Math.round((sum(hour.map((call) => call.micro)) + micro) * 1000) <= (limits.budgetUsd?.amount ?? Infinity) * 1e9
    )
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('admit' as const),
    who: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
    tokens: fc.nat({ max: 300 }),
    micro: fc.nat({ max: 300_000 }).map((n) => n / 1000),
  }),
  fc.record({
    do: fc.constantFrom('settle' as const, 'cancel' as const),
    which: fc.nat({ max: 50 }),
    tokens: fc.nat({ max: 300 }),
    micro: fc.nat({ max: 300_000 }).map((n) => n / 1000),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 1_500_000 })) }),
)
const optional = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: undefined })
const someLimits = fc.record({
  requestsPerMinute: optional(8),
  tokensPerMinute: optional(1_000),
  concurrency: optional(5),
  budgetUsd: fc.option(
    fc.nat({ max: 1_000 }).map((micro) => ({ per: 'hour' as const, amount: micro / 1e6 })),
    { nil: undefined },
  ),
})

test.each([
  ['', undefined],
  [', also where budgets are forgotten and learnt again', 2],
])('whatever happens in whatever order, it admits exactly what the rules allow%s', async (_name, most) => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(someLimits, someLimits, someLimits),
      fc.array(step, { maxLength: 60 }),
      async (limits, steps) => {
        const clock = new ManualClock(Date.UTC(2026, 0, 1, 0, 20))
        const model = new Model()
        // The ledger has every call that was made, as long as it is under way with what was reserved for it.
        const spentSince: SpentSince = async ({ id }, fromMs) =>
          most === undefined
            ? 0
            : model.calls.reduce(
                (sum, call) => sum + (call.id === id && call.atMs >= fromMs && !call.gone ? call.micro : 0),
                0,
              )
        const limiter = limiterAt(clock, new Spending(spentSince, clock, most))
        const subjects = { a: subject('a', limits[0]), b: subject('b', limits[1]), c: subject('c', limits[2], 'team') }
        const leases: { lease: Lease; calls: Model['calls'] }[] = []
        for (const one of steps) {
          if (one.do === 'wait') await clock.advance(one.ms)
          else if (one.do === 'admit') {
            const who = one.who.map((name) => subjects[name as 'a'])
            const decision = await limiter.admit(ask(who, { tokens: one.tokens, costMicroUsd: one.micro }))
            const fits = who.every((one_) => model.fits(one_.id, one_.limits, clock.now(), one.tokens, one.micro))
            expect(decision.kind).toBe(fits ? 'admitted' : 'refused')
            if (decision.kind === 'refused') continue
            const calls = who.map(({ id }) => ({
              id,
              atMs: clock.now(),
              tokens: one.tokens,
              micro: one.micro,
              open: true,
              gone: false,
            }))
            model.calls.push(...calls)
            leases.push({ lease: decision.lease, calls })
          } else {
            const held = leases[one.which % Math.max(1, leases.length)]
            if (!held) continue
            // Also a second time: it must change nothing.
            if (one.do === 'cancel') held.lease.cancel()
            else held.lease.settle({ tokens: one.tokens, costMicroUsd: one.micro })
            for (const call of held.calls.filter(({ open }) => open)) {
              if (one.do === 'cancel') call.gone = true
              else Object.assign(call, { tokens: one.tokens, micro: one.micro })
              call.open = false
            }
          }
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('a limit that comes while calls are under way counts none of them wrongly', () => {
  const limiter = limiterAt(new ManualClock())
  const { lease } = admitted(limiter.admit(ask(subject('a', { concurrency: 5 }))) as Decision)
  const limited = subject('a', { requestsPerMinute: 1, tokensPerMinute: 10 })
  admitted(limiter.admit(ask(limited)) as Decision)
  lease.cancel()
  expect((limiter.admit(ask(limited)) as Decision).kind).toBe('refused')
})

test('budgets of users that callers make up are forgotten, and never what a user has spent', async () => {
  const clock = new ManualClock()
  const ledger = new Map<string, number>()
  const spending = new Spending(async ({ id }) => ledger.get(id) ?? 0, clock, 1_000)
  const limiter = limiterAt(clock, spending)
  const budgetUsd = { per: 'month' as const, amount: 1 }
  const call = async (name: string): Promise<'admitted' | 'refused'> => {
    const made = subject(name, { budgetUsd }, 'user')
    const decision = await limiter.admit(ask(made, { costMicroUsd: 600_000 }))
    if (decision.kind === 'refused') return 'refused'
    ledger.set(made.id, (ledger.get(made.id) ?? 0) + 600_000)
    decision.lease.settle({ tokens: 1, costMicroUsd: 600_000 })
    return 'admitted'
  }
  expect(await call('real')).toBe('admitted')
  for (let minute = 0; minute < 5; minute++) {
    await clock.advance(60_000)
    for (let i = 0; i < 800; i++) expect(await call(`${minute}-${i}`)).toBe('admitted')
  }
  expect(spending.size).toBeLessThanOrEqual(2_000)
  expect([...spending.all()].some(([id]) => id === 'user:real')).toBe(false)
  expect(await call('real')).toBe('refused')
})

test('the budget of a call under way is not forgotten', async () => {
  const clock = new ManualClock()
  const spending = new Spending(() => Promise.resolve(0), clock, 100)
  const limiter = limiterAt(clock, spending)
  const limits = { budgetUsd: { per: 'month' as const, amount: 1 } }
  const slow = subject('slow', limits, 'user')
  const { lease } = admitted(await limiter.admit(ask(slow, { costMicroUsd: 0 })))
  for (let i = 0; i < 500; i++) {
    await clock.advance(1_000)
    admitted(await limiter.admit(ask(subject(`made-up-${i}`, limits, 'user'), { costMicroUsd: 0 }))).lease.cancel()
  }
  lease.settle({ tokens: 1, costMicroUsd: 999_999 })
  const next = await limiter.admit(ask(slow, { costMicroUsd: 2 }))
  expect([next.kind, spending.size <= 200]).toEqual(['refused', true])
})

test('counters of users that callers make up do not fill the memory', async () => {
  const clock = new ManualClock()
  const limiter = limiterAt(clock)
  for (let minute = 0; minute < 5; minute++) {
    for (let i = 0; i < 20_000; i++) {
      const made = subject(`${minute}-${i}`, { requestsPerMinute: 10 }, 'user')
      admitted(limiter.admit(ask(made)) as Decision).lease.settle({ tokens: 1, costMicroUsd: 0 })
    }
    await clock.advance(61_000)
  }
  expect(limiter.counters.size).toBeLessThanOrEqual(60_000)
  admitted(limiter.admit(ask(subject('unlimited', {}, 'user'))) as Decision)
  expect([...limiter.counters.all()].some(([id]) => id === 'user:unlimited')).toBe(false)
})
