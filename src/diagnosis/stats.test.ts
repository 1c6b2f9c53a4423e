import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decimate, median, normalOf, slopeOf, toTrack, trendOf, valuesBetween } from './stats.ts'

const track = (values: readonly number[]) => toTrack(values.map((value, i) => [i * 1000, value] as const))

describe('toTrack', () => {
  it('orders by time, drops what is no number, and keeps the last of two values at one time', () => {
    const { times, values } = toTrack([
      [3000, 3],
      [1000, 1],
      [2000, Number.NaN],
      [1000, 9],
      [Number.POSITIVE_INFINITY, 1],
    ])
    expect([...times]).toEqual([1000, 3000])
    expect([...values]).toEqual([9, 3])
  })
})

describe('normalOf', () => {
  it('keeps its centre while up to two in five values belong to something else', () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => (i % 5 < 2 ? 1000 : 10 + (i % 7) / 10))
    expect(normalOf(values).centre).toBeCloseTo(10.4, 0)
  })

  it('scales with its values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }), (numbers) => {
        const one = normalOf(Float64Array.from(numbers))
        const four = normalOf(Float64Array.from(numbers, (value) => value * 4))
        expect(four.centre).toBeCloseTo(one.centre * 4, 6)
        expect(four.scale).toBeCloseTo(one.scale * 4, 6)
      }),
    )
  })

  it('knows nothing of an empty series', () => {
    expect(normalOf(new Float64Array(0))).toMatchObject({ centre: Number.NaN, scale: 0, count: 0 })
    expect(median(new Float64Array(0))).toBeNaN()
  })
})

describe('valuesBetween', () => {
  it('includes the start and leaves out the end', () => {
    expect([...valuesBetween(track([0, 1, 2, 3]), 1000, 3000)]).toEqual([1, 2])
    expect([...valuesBetween(track([0, 1, 2, 3]), 3000, 1000)]).toEqual([])
  })
})

describe('slopeOf and trendOf', () => {
  it('see a rise through outliers', () => {
    const rising = track(Array.from({ length: 50 }, (_, i) => (i % 10 === 3 ? 500 : 2 * i)))
    expect(slopeOf(rising, 0) * 1000).toBeCloseTo(2, 0)
    expect(trendOf(rising.values)).toBeGreaterThan(0.5)
  })

  it('see none in a constant', () => {
    expect(slopeOf(track([5, 5, 5, 5, 5]), 0)).toBe(0)
    expect(trendOf(track([5, 5, 5, 5, 5]).values)).toBe(0)
  })
})

describe('decimate', () => {
  it('keeps the extremes, the order and the limit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1, maxLength: 2000 }),
        fc.integer({ min: 2, max: 300 }),
        (numbers, limit) => {
          const points = decimate(track(numbers), limit)
          expect(points.length).toBeLessThanOrEqual(limit)
          const values = points.map(([, value]) => value)
          expect(Math.max(...values)).toBe(Math.max(...numbers))
          expect(Math.min(...values)).toBe(Math.min(...numbers))
          expect(points.every(([time], i) => i === 0 || time > (points[i - 1]?.[0] ?? 0))).toBe(true)
        },
      ),
    )
  })
})
