import { expect, test } from 'vitest'
import { ManualClock } from './clock.ts'
import { withDeadline } from './deadline.ts'

const never = new AbortController().signal

test('what answers in time is passed on', async () => {
  expect(await withDeadline(new ManualClock(), 1000, never, async () => 7)).toBe(7)
})

test('what does not listen to its signal is left behind all the same', async () => {
  const clock = new ManualClock()
  const work = withDeadline(clock, 1000, never, () => new Promise(() => undefined))
  const outcome = expect(work).rejects.toMatchObject({ code: 'deadline' })
  await clock.advance(1000)
  await outcome
})

test('the caller that gives up is heard before the deadline', async () => {
  const caller = new AbortController()
  const work = withDeadline(new ManualClock(), 1000, caller.signal, () => new Promise(() => undefined))
  const outcome = expect(work).rejects.toThrow('enough')
  caller.abort(new Error('enough'))
  await outcome
})

test('the failure of the work itself is what is told', async () => {
  const work = withDeadline(new ManualClock(), 1000, never, async () => {
    throw new Error('broken')
  })
  await expect(work).rejects.toThrow('broken')
})
