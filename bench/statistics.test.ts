import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quantile, slope, spreadOf } from './statistics.ts'

describe('the statistics of the bench', () => {
  test('a quantile is one of the values, with no more than its share below it', () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const found = quantile(values, q)
        expect(values).toContain(found)
        expect(values.filter((value) => value < found).length).toBeLessThanOrEqual(values.length * q)
      }),
    )
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(3)
    expect(quantile([], 0.5)).toBeNaN()
  })

  test('a spread leaves out what could not be measured, and is null when nothing is left', () => {
    expect(spreadOf([3, undefined, 1, Number.NaN, 2, Number.POSITIVE_INFINITY, 10])).toEqual({
      min: 1,
      median: 2.5,
      max: 10,
    })
    expect(spreadOf([7])).toEqual({ min: 7, median: 7, max: 7 })
    expect(spreadOf([undefined, Number.NaN])).toBeNull()
  })

  test('a slope is found under noise that evens out', () => {
    const line = [0, 1, 2, 3].map((x) => [x, 5 + 2 * x + (x === 0 || x === 3 ? 0.1 : -0.1)] as const)
    expect(slope(line)).toBeCloseTo(2)
    expect(
      slope([
        [1, 1],
        [1, 9],
      ]),
    ).toBe(0)
  })
})
