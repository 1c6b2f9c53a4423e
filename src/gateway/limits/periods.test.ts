import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Period, periodEnd, periodStart } from './periods.ts'

const PERIODS: readonly Period[] = ['hour', 'day', 'week', 'month']

test.each<[Period, string, string, string]>([
  ['hour', '2026-11-23T12:59:59.999Z', '2026-11-23T12:00:00.000Z', '2026-11-23T13:00:00.000Z'],
  ['day', '2026-11-23T00:00:00.000Z', '2026-11-23T00:00:00.000Z', '2026-11-24T00:00:00.000Z'],
  // A Sunday belongs to the week of the Monday before.
  ['week', '2026-11-22T23:59:59.999Z', '2026-11-16T00:00:00.000Z', '2026-11-23T00:00:00.000Z'],
  ['week', '2026-11-23T00:00:00.000Z', '2026-11-23T00:00:00.000Z', '2026-11-30T00:00:00.000Z'],
  ['month', '2026-12-31T23:59:59.999Z', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ['month', '2028-02-29T12:00:00.000Z', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
])('the %s of %s begins at %s and ends at %s', (per, at, start, end) => {
  const ms = Date.parse(at)
  expect(new Date(periodStart(per, ms)).toISOString()).toBe(start)
  expect(new Date(periodEnd(per, ms)).toISOString()).toBe(end)
})

test('every moment is in exactly one period, and the next begins where it ends', () => {
  fc.assert(
    fc.property(fc.constantFrom(...PERIODS), fc.integer({ min: 0, max: 4e12 }), (per, ms) => {
      const [start, end] = [periodStart(per, ms), periodEnd(per, ms)]
      expect(start).toBeLessThanOrEqual(ms)
      expect(end).toBeGreaterThan(ms)
      expect(periodStart(per, start)).toBe(start)
      expect(periodStart(per, end - 1)).toBe(start)
      expect(periodStart(per, end)).toBe(end)
    }),
  )
})
