import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findExcursion } from './onset.ts'
import { normalOf, toTrack } from './stats.ts'

const at = (values: readonly number[], startMs = 0) =>
  toTrack(values.map((value, i) => [startMs + i * 1000, value] as const))
const quiet = (count: number) => Array.from({ length: count }, (_, i) => 10 + (i % 5) / 5)
const normal = normalOf(Float64Array.from(quiet(50)))

describe('findExcursion', () => {
  it('dates a step at its first point', () => {
    const found = findExcursion(at([...quiet(50), ...Array<number>(10).fill(30)]), normal, 0.5, 1, 50_000)
    expect(found).toEqual({ direction: 1, onsetMs: 50_000, untilMs: 59_000 })
  })

  it('dates a slow rise near where it left its range', () => {
    const ramp = Array.from({ length: 20 }, (_, i) => 10.4 + 0.5 * i)
    const found = findExcursion(at([...quiet(50), ...ramp]), normal, 0.5, 1, 60_000)
    expect(found?.onsetMs).toBeGreaterThanOrEqual(50_000)
    expect(found?.onsetMs).toBeLessThanOrEqual(53_000)
  })

  it('does not take one outlier for an excursion', () => {
    expect(findExcursion(at([...quiet(30), 1e9, ...quiet(30)]), normal, 0.5, 1, 0)).toBeUndefined()
  })

  it('forgets an excursion that was over before the alert', () => {
    const track = at([...quiet(30), ...Array<number>(60).fill(40), ...quiet(60)])
    expect(findExcursion(track, normal, 0.5, 1, 140_000)).toBeUndefined()
    expect(findExcursion(track, normal, 0.5, 1, 80_000)?.onsetMs).toBe(30_000)
  })

  it('finds falls too', () => {
    const track = at([...quiet(50), 0, 0, 0, 0])
    expect(findExcursion(track, normal, 0.5, -1, 50_000)?.onsetMs).toBe(50_000)
    expect(findExcursion(track, normal, 0.5, 1, 50_000)).toBeUndefined()
  })

  it('moves with time', () => {
    const values = [...quiet(50), ...Array<number>(10).fill(30)]
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (shift) => {
        expect(findExcursion(at(values, shift), normal, 0.5, 1, shift + 50_000)?.onsetMs).toBe(shift + 50_000)
      }),
    )
  })
})
