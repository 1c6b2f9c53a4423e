import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { MinuteWindow } from './window.ts'

const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.nat({ max: 999 }), fc.nat({ max: 70_000 })),
    amount: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 200 },
)

test('in no minute, wherever it begins, is more admitted than the limit', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 40 }), (steps, limit) => {
      const window = new MinuteWindow()
      const admitted: { readonly atMs: number; readonly amount: number }[] = []
      let nowMs = 1_790_000_000_123
      for (const { afterMs, amount } of steps) {
        nowMs += afterMs
        if (window.msUntil(nowMs, limit - amount) > 0) continue
        window.add(nowMs, amount)
        admitted.push({ atMs: nowMs, amount })
      }
      for (const { atMs: endMs } of admitted) {
        const inMinute = admitted.filter(({ atMs }) => atMs > endMs - 60_000 && atMs <= endMs)
        expect(inMinute.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(limit)
      }
    }),
  )
})

test('nothing is held longer than 61 seconds, and the wait is told to the millisecond', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 40 }), (steps, most) => {
      const window = new MinuteWindow()
      let nowMs = 1_790_000_000_123
      for (const { afterMs, amount } of steps) window.add((nowMs += afterMs), amount)
      const waitMs = window.msUntil(nowMs, most)
      expect(waitMs).toBeLessThanOrEqual(61_000)
      if (waitMs > 0) {
        expect(window.total(nowMs + waitMs - 1)).toBeGreaterThan(most)
        expect(window.total(nowMs + waitMs)).toBeLessThanOrEqual(most)
      }
      const emptyMs = window.msUntilEmpty(nowMs + waitMs)
      expect(window.total(nowMs + waitMs + emptyMs)).toBe(0)
    }),
  )
})

test('a burst within one second counts one by one', () => {
  const window = new MinuteWindow()
  for (let i = 0; i < 1000; i++) window.add(1_790_000_000_500, 1)
  expect(window.total(1_790_000_000_999)).toBe(1000)
})

test('a correction counts where its second still does, and is void after that', () => {
  const window = new MinuteWindow()
  const second = window.add(1_000_000, 100)
  window.adjust(second, -60)
  expect(window.total(1_000_000)).toBe(40)
  expect(window.total(1_060_999)).toBe(40)
  expect(window.total(1_061_000)).toBe(0)
  window.adjust(second, -60)
  expect(window.total(1_061_000)).toBe(0)
})

test('a clock that is put back admits nothing more, and does not hold the limit for ever', () => {
  for (const backMs of [500, 5_000, 3_600_000]) {
    const window = new MinuteWindow()
    const nowMs = 1_790_000_000_000
    window.add(nowMs, 10)
    expect(window.total(nowMs - backMs)).toBe(10)
    window.add(nowMs - backMs, 5)
    expect(window.total(nowMs - backMs)).toBe(15)
    expect(window.total(nowMs + 122_000)).toBe(0)
    if (backMs > 60_000) expect(window.total(nowMs - backMs + 61_000)).toBe(0)
  }
})
