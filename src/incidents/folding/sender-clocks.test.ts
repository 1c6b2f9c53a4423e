import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSenderClocks } from './sender-clocks.ts'

const HOUR = 3_600_000
const T = 1_800_000_000_000
const from = (url: string, startsAt: number, receivedAt: number) => ({
  tenant: 'default',
  source: 'alertmanager',
  url,
  starts_at: startsAt,
  sent_starts_at: null,
  first_at: receivedAt,
})
const A = 'http://prometheus-a:9090/graph'
const B = 'http://prometheus-b:9090/graph'

test('a clock that is ahead is known by an alert from the future, and only that sender is corrected', () => {
  const clocks = createSenderClocks()
  expect(clocks.correct(from(A, T + 10 * 60_000, T))).toEqual({ startsAtMs: T, aheadMs: 600_000 })
  expect(clocks.correct(from(A, T + 9 * 60_000, T + 1000)).startsAtMs).toBe(T - 60_000)
  expect(clocks.correct(from(B, T - 5000, T + 1000))).toEqual({ startsAtMs: T - 5000, aheadMs: 0 })
})

test('a clock is slow only when everything comes late over a while; one late delivery is late', () => {
  const clocks = createSenderClocks()
  for (let i = 0; i < 20; i++) expect(clocks.correct(from(A, T - HOUR - i, T)).aheadMs).toBe(0)
  for (let i = 0; i < 20; i++) clocks.correct(from(B, T + i * 60_000 - HOUR, T + i * 60_000))
  expect(clocks.correct(from(B, T + 20 * 60_000 - HOUR, T + 20 * 60_000)).aheadMs).toBe(-HOUR)
})

test('a sender whose clock is right is never corrected, however its alerts are delayed and mixed', () => {
  const delay = fc.integer({ min: 0, max: 300_000 })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 600_000 }), delay), { maxLength: 40 }), (alerts) => {
      const clocks = createSenderClocks()
      let at = T
      for (const [pause, late] of alerts) {
        at += pause
        expect(clocks.correct(from(A, at - late, at)).startsAtMs).toBe(at - late)
      }
    }),
  )
})

test('a time that means nothing corrects nobody', () => {
  const clocks = createSenderClocks()
  clocks.correct(from(A, T + 400 * 24 * HOUR, T))
  expect(clocks.correct(from(A, T, T + 1000)).aheadMs).toBe(0)
})
