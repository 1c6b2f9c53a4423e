import fc from 'fast-check'
import { expect, test } from 'vitest'
import { spreadOf } from './spread.ts'

test('of nothing nothing is known', () => {
  expect(spreadOf([])).toEqual({ of: 0, medianMs: null, p90Ms: null })
})

test('the nearest rank is a value that occurred', () => {
  expect(spreadOf([5, 1, 3])).toEqual({ of: 3, medianMs: 3, p90Ms: 5 })
  expect(spreadOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toEqual({ of: 10, medianMs: 5, p90Ms: 9 })
  expect(spreadOf([-4])).toEqual({ of: 1, medianMs: 0, p90Ms: 0 })
})

test('at least the share that is told does not exceed it, and it is the least such value', () => {
  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(values, (values) => {
      const { medianMs, p90Ms } = spreadOf(values)
      for (const [value, share] of [
        [medianMs, 0.5],
        [p90Ms, 0.9],
      ] as const) {
        const upTo = (limit: number) => values.filter((one) => one <= limit).length / values.length
        expect(values).toContain(value)
        expect(upTo(value ?? -1)).toBeGreaterThanOrEqual(share)
        const lower = values.filter((one) => one < (value ?? 0))
        if (lower.length > 0) expect(upTo(Math.max(...lower))).toBeLessThan(share)
      }
    }),
  )
})
