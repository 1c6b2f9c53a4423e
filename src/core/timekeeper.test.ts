import { expect, test } from 'vitest'
import { ManualClock } from './clock.ts'
import { Timekeeper } from './timekeeper.ts'

test('a limit is told once, and not before its time', async () => {
  const clock = new ManualClock()
  const keeper = new Timekeeper(clock)
  let late = 0
  keeper.limit(1000, () => late++)
  await clock.advance(990)
  expect(late).toBe(0)
  await clock.advance(60)
  await clock.advance(5000)
  expect(late).toBe(1)
})

test('a limit that is set anew counts from there, also when it becomes shorter', async () => {
  const clock = new ManualClock()
  const keeper = new Timekeeper(clock)
  let late = 0
  const limit = keeper.limit(1000, () => late++)
  await clock.advance(900)
  limit.set(1000)
  await clock.advance(900)
  expect(late).toBe(0)
  limit.set(50)
  await clock.advance(100)
  expect(late).toBe(1)
})

test('a cancelled limit is never told, and the next one works', async () => {
  const clock = new ManualClock()
  const keeper = new Timekeeper(clock)
  let late = ''
  keeper.limit(100, () => (late += 'a')).cancel()
  await clock.advance(1000)
  keeper.limit(100, () => (late += 'b'))
  await clock.advance(1000)
  expect(late).toBe('b')
})

test('nothing is told after a stop', async () => {
  const clock = new ManualClock()
  const keeper = new Timekeeper(clock)
  let late = 0
  keeper.limit(100, () => late++)
  keeper.stop()
  await clock.advance(1000)
  expect(late).toBe(0)
})
