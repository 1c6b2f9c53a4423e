import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DecayingQuantile } from './quantile.ts'

test('a quantile is at most a tenth off the true one, whatever the durations', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 300 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (durations, share) => {
        const quantile = new DecayingQuantile()
        for (const ms of durations) quantile.add(ms, 0)
        const sorted = durations.toSorted((a, b) => a - b)
        // Where the share falls exactly between two samples, either is right.
        const at = durations.length * share
        const low = sorted[Math.max(0, Math.ceil(at - 1e-6) - 1)] ?? 0
        const high = sorted[Math.min(sorted.length - 1, Math.floor(at + 1e-6))] ?? 0
        const told = quantile.quantile(share, 0) ?? Number.NaN
        expect(told).toBeGreaterThan(low / 1.1)
        expect(told).toBeLessThan(high * 1.1)
      },
    ),
  )
})

test('old samples fade, and after long silence nothing is known', () => {
  const quantile = new DecayingQuantile()
  for (let i = 0; i < 100; i++) quantile.add(10, 0)
  expect(quantile.weight(299_000)).toBe(100)
  expect(quantile.weight(300_000)).toBe(50)
  for (let i = 0; i < 60; i++) quantile.add(5_000, 300_000)
  expect(quantile.quantile(0.5, 300_000)).toBeGreaterThan(4_000)
  expect(quantile.quantile(0.5, 24 * 3_600_000)).toBeNull()
})
