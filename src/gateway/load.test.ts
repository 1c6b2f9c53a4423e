import { expect, test } from 'vitest'
import { ManualClock } from '../core/clock.ts'
import { Loads } from './load.ts'

const start = () => {
  const clock = new ManualClock()
  const loads = new Loads(clock)
  const load = loads.of('openai\ngpt')
  const call = async (ms: number, stream = true) => {
    const flight = load.begin(stream)
    await clock.advance(ms)
    flight.content()
    flight.end({ kind: 'served', outputTokens: null })
  }
  return { clock, loads, load, call }
}

test('a call counts from its begin to its end, however often its end is said', () => {
  const { load } = start()
  const one = load.begin(true)
  const two = load.begin(false)
  expect(load.inFlight).toBe(2)
  one.end({ kind: 'unknown' })
  one.end({ kind: 'failed' })
  expect(load.inFlight).toBe(1)
  two.end({ kind: 'failed' })
  expect(load.inFlight).toBe(0)
})

test('streams and plain answers are averaged apart', async () => {
  const { load, clock, call } = start()
  await call(200, true)
  await call(9000, false)
  expect(load.firstContentMs(false, clock.now())).toBe(9000)
  expect(load.firstContentMs(true, clock.now() - 9000)).toBe(200)
})

test('an average follows what is new within half a minute, and fades in silence', async () => {
  const { load, clock, call } = start()
  await call(4000)
  for (let i = 0; i < 60; i++) await call(500)
  const now = load.firstContentMs(true, clock.now()) ?? 0
  expect(now).toBeGreaterThan(499)
  expect(now).toBeLessThan(1100)
  await clock.advance(30_000)
  expect(load.firstContentMs(true, clock.now())).toBeCloseTo(now / 2)
})

test('many samples in one millisecond all count', () => {
  const { load, clock } = start()
  load.noteFirstContent(true, 1000, clock.now())
  for (let i = 0; i < 500; i++) load.noteFirstContent(true, 100, clock.now())
  expect(load.firstContentMs(true, clock.now())).toBeLessThan(110)
})

test('what fails fast does not look fast', async () => {
  const { load, clock } = start()
  const flight = load.begin(true)
  await clock.advance(3)
  flight.end({ kind: 'failed' })
  expect(load.firstContentMs(true, clock.now())).toBeGreaterThanOrEqual(5000)
})

test('a call that was given up for reasons of its own says nothing about the target', async () => {
  const { load, clock } = start()
  const flight = load.begin(true)
  await clock.advance(60_000)
  flight.end({ kind: 'unknown' })
  expect(load.firstContentMs(true, clock.now())).toBeNull()
})

test('the 95th percentile is told only from twenty samples on, and then is one', async () => {
  const { load, call } = start()
  for (let i = 0; i < 19; i++) await call(100)
  expect(load.p95FirstContentMs(true)).toBeNull()
  await call(100)
  expect(load.p95FirstContentMs(true)).toBeGreaterThan(90)
  expect(load.p95FirstContentMs(true)).toBeLessThan(110)
  for (let i = 0; i < 3; i++) await call(2000)
  expect(load.p95FirstContentMs(true)).toBeGreaterThan(1800)
  expect(load.p95FirstContentMs(false)).toBeNull()
})

test('tokens a second count from the first content of a stream', async () => {
  const { load, clock } = start()
  const flight = load.begin(true)
  await clock.advance(3000)
  flight.content()
  await clock.advance(2000)
  flight.end({ kind: 'served', outputTokens: 100 })
  expect(load.tokensPerSecond).toBe(50)
})

test('a target that left the config is forgotten, but not while a call is under way', () => {
  const { loads, load } = start()
  const flight = load.begin(true)
  loads.retain(new Set())
  expect(loads.of('openai\ngpt')).toBe(load)
  flight.end({ kind: 'unknown' })
  loads.retain(new Set())
  expect(loads.of('openai\ngpt')).not.toBe(load)
})
