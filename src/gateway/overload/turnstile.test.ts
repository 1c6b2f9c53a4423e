import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ManualClock } from '../../core/clock.ts'
import { Timekeeper } from '../../core/timekeeper.ts'
import { Pass, Turnstile, type TurnstileLimits } from './turnstile.ts'

const NEVER = { signal: new AbortController().signal }

function start(given: Partial<TurnstileLimits> = {}) {
  const limits = { maxActive: 1, maxQueued: 10, maxWaitMs: 5000, maxLagMs: 500, ...given }
  const clock = new ManualClock()
  const lag = { ms: 0 }
  const turnstile = new Turnstile({ limits, clock, timekeeper: new Timekeeper(clock), lagMs: () => lag.ms })
  const entered: string[] = []
  /** Enters, and keeps book of who got in, and who was sent away and why. */
  const enter = async (tenant: string, signal: AbortSignal = NEVER.signal): Promise<Pass | undefined> => {
    try {
      const pass = await turnstile.enter(tenant, { signal })
      entered.push(tenant)
      return pass
    } catch (error) {
      entered.push(`${tenant}: ${(error as Error).message}`)
      return undefined
    }
  }
  const now = (tenant: string): Pass => {
    const pass = turnstile.enter(tenant, NEVER)
    if (!(pass instanceof Pass)) throw new Error('it has to wait')
    return pass
  }
  return { turnstile, clock, lag, entered, enter, now }
}

test('whoever finds a place free is in at once, without a promise', () => {
  const { turnstile, now } = start({ maxActive: 2 })
  now('a')
  now('a')
  expect(turnstile.state()).toMatchObject({ active: 2, queued: 0 })
})

test('a place that comes free goes to the tenant whose turn it is, not to who has the most calls', async () => {
  const { clock, entered, enter, now } = start({ maxQueued: 1000 })
  let pass: Pass | undefined = now('first')
  const hogs = Array.from({ length: 900 }, () => enter('hog'))
  const guest = enter('guest')
  pass.leave()
  pass = await hogs[0]
  pass?.leave()
  await guest
  await clock.advance(0)
  expect(entered).toEqual(['hog', 'guest'])
})

test('leaving twice frees one place', async () => {
  const { clock, turnstile, entered, enter, now } = start()
  const pass = now('a')
  void enter('b')
  void enter('c')
  pass.leave()
  pass.leave()
  await clock.advance(0)
  expect(entered).toEqual(['b'])
  expect(turnstile.state()).toMatchObject({ active: 1, queued: 1 })
})

test('when the line is full, the newest of the longest one is sent away with 503, and not a newcomer', async () => {
  const { clock, turnstile, entered, enter, now } = start({ maxQueued: 3 })
  const pass = now('hog')
  for (let i = 0; i < 3; i++) void enter('hog')
  void enter('guest')
  await clock.advance(0)
  expect(entered).toEqual(['hog: Too many calls are waiting for a place. Try again shortly.'])
  void enter('hog')
  await clock.advance(0)
  expect(entered).toHaveLength(2)
  expect(turnstile.state()).toMatchObject({ queued: 3, tenantsQueued: 2, shed: { full: 2 } })
  pass.leave()
  await clock.advance(0)
  expect(entered.slice(2)).toEqual(['hog'])
})

test('nobody waits where waiting is switched off', () => {
  const { turnstile, now } = start({ maxQueued: 0 })
  now('a')
  expect(() => turnstile.enter('b', NEVER)).toThrow(expect.objectContaining({ status: 503 }))
})

test('whoever waited too long is sent away, and leaves no gap', async () => {
  const { clock, turnstile, entered, enter, now } = start({ maxWaitMs: 1000 })
  const pass = now('a')
  void enter('b')
  await clock.advance(600)
  void enter('c')
  await clock.advance(500)
  expect(entered).toEqual(['b: No place came free in time. Try again shortly.'])
  pass.leave()
  await clock.advance(5000)
  expect(entered.slice(1)).toEqual(['c'])
  expect(turnstile.state()).toMatchObject({ active: 1, queued: 0, shed: { waited: 1 } })
})

test('a caller that hangs up in line takes no place, and gets its own reason', async () => {
  const { clock, turnstile, entered, enter, now } = start()
  const pass = now('a')
  const caller = new AbortController()
  void enter('b', caller.signal)
  void enter('c')
  caller.abort(new Error('gone'))
  await clock.advance(0)
  expect(entered).toEqual(['b: gone'])
  pass.leave()
  await clock.advance(0)
  expect(entered).toEqual(['b: gone', 'c'])
  expect(turnstile.state().active).toBe(1)
  await expect(async () => turnstile.enter('b', { signal: caller.signal })).rejects.toThrow('gone')
})

test('while the event loop lags, nobody new is let in', () => {
  const { turnstile, lag, now } = start({ maxActive: 5 })
  now('a')
  lag.ms = 501
  expect(() => turnstile.enter('b', NEVER)).toThrow(/overloaded/)
  lag.ms = 500
  now('b')
  expect(turnstile.state()).toMatchObject({ active: 2, shed: { lag: 1 } })
})

test('retry-after is the length of the line over the rate at which calls leave', async () => {
  const { turnstile, clock, enter, now } = start({ maxQueued: 9, maxWaitMs: 600_000 })
  for (let i = 0; i < 60; i++) {
    const pass = now('a')
    await clock.advance(1000)
    pass.leave()
  }
  expect(turnstile.state().departuresPerSecond).toBeCloseTo(1, 0)
  expect(turnstile.state().arrivalsPerSecond).toBeCloseTo(1, 0)
  expect(turnstile.state().secondsInSystem).toBeCloseTo(1)
  now('a')
  for (let i = 0; i < 9; i++) void enter('a')
  const thrown = (() => {
    try {
      return turnstile.enter('a', NEVER)
    } catch (error) {
      return error as { retryAfterSeconds: number }
    }
  })()
  expect(thrown).toMatchObject({ retryAfterSeconds: expect.closeTo(10, -0.5) })
})

test('calls that can wait get half of the places, and none while somebody stands in line', () => {
  const { turnstile, enter, now } = start({ maxActive: 4 })
  expect([0, 1, 2].map((taken) => turnstile.hasRoom(taken))).toEqual([true, true, false])
  const passes = [now('a'), now('a')]
  expect(turnstile.hasRoom(0)).toBe(false)
  passes.forEach((pass) => pass.leave())
  expect(turnstile.hasRoom(0)).toBe(true)
  for (let i = 0; i < 4; i++) now('a')
  void enter('a')
  turnstile.configure({ maxActive: 4, maxQueued: 9, maxWaitMs: 5000, maxLagMs: 500 })
  expect(turnstile.hasRoom(0)).toBe(false)
})

test('more room lets in who waits; less sends nobody away', async () => {
  const { turnstile, clock, entered, enter, now } = start()
  now('a')
  for (let i = 0; i < 3; i++) void enter('b')
  turnstile.configure({ maxActive: 3, maxQueued: 10, maxWaitMs: 5000, maxLagMs: 500 })
  await clock.advance(0)
  expect(entered).toEqual(['b', 'b'])
  turnstile.configure({ maxActive: 1, maxQueued: 0, maxWaitMs: 5000, maxLagMs: 500 })
  expect(turnstile.state()).toMatchObject({ active: 3, queued: 1 })
})

test('a stop sends away who waits and who comes', async () => {
  const { turnstile, clock, entered, enter, now } = start()
  now('a')
  void enter('b')
  turnstile.stop()
  void enter('c')
  await clock.advance(0)
  expect(entered.toSorted()).toEqual(['b', 'c'].map((one) => `${one}: Midwatch is stopping. Try again in a moment.`))
})

test('whatever happens: never too many at once, no free place while somebody waits, and everybody gets an answer', async () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('enter' as const), tenant: fc.constantFrom('a', 'b', 'c') }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), which: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(3000) }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(3), fc.nat(4), async (steps, active, maxQueued) => {
      const maxActive = active + 1
      const { turnstile, clock, enter } = start({ maxActive, maxQueued, maxWaitMs: 2000 })
      const inside: Pass[] = []
      const callers: AbortController[] = []
      let answered = 0
      for (const one of steps) {
        if (one.kind === 'enter') {
          const caller = new AbortController()
          callers.push(caller)
          const answer = async (): Promise<void> => {
            const pass = await enter(one.tenant, caller.signal)
            answered++
            if (pass) inside.push(pass)
          }
          void answer()
        } else if (one.kind === 'leave') inside.splice(one.which % (inside.length + 1), 1)[0]?.leave()
        else if (one.kind === 'abort') callers[one.which % (callers.length + 1)]?.abort(new Error('gone'))
        await clock.advance(one.kind === 'time' ? one.ms : 0)
        const state = turnstile.state()
        expect(state.active).toBe(inside.length)
        expect(state.active).toBeLessThanOrEqual(maxActive)
        expect(state.queued).toBeLessThanOrEqual(maxQueued)
        if (state.queued > 0) expect(state.active).toBe(maxActive)
        expect(answered + state.queued).toBe(callers.length)
      }
      await clock.advance(2100)
      expect(answered).toBe(callers.length)
    }),
    { numRuns: 60 },
  )
})
