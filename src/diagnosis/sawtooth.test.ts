import { describe, expect, it } from 'vitest'
import { findSawtooth } from './sawtooth.ts'
import { seeded } from './testing/shop.ts'

const track = (values: readonly number[]) => ({
  times: Float64Array.from(values, (_, i) => i * 2000),
  values: Float64Array.from(values),
})
const flat = (level: number, count: number) => Array.from({ length: count }, (_, i) => level + (i % 3))
const climb = (from: number, to: number, count: number) =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1))

describe('a saw', () => {
  it('is a leak that is killed and leaks again', () => {
    expect(findSawtooth(track([...flat(115, 12), ...climb(90, 338, 16), ...climb(89, 332, 15), 91, 102]))).toEqual({
      falls: 2,
      peak: 338,
      bottom: 89,
    })
  })

  it('begins where a level one leaves its level', () => {
    const values = [...Array.from({ length: 42 }, () => 88), ...climb(90, 333, 17), 82, 96, 113]
    expect(findSawtooth(track(values))).toEqual({ falls: 1, peak: 333, bottom: 82 })
  })

  it('is no single climb, however high: that is told by its trend', () => {
    expect(findSawtooth(track([...flat(115, 12), ...climb(116, 338, 30)]))).toBeUndefined()
  })

  it('is no heap that was always swept', () => {
    const swept = Array.from({ length: 5 }, () => climb(90, 300, 10)).flat()
    expect(findSawtooth(track(swept))).toBeUndefined()
  })

  it('is no restart of a steady process', () => {
    expect(findSawtooth(track([...flat(300, 20), ...climb(60, 300, 3), ...flat(300, 20)]))).toBeUndefined()
  })

  it('is not found in noise', () => {
    const random = seeded(7)
    for (let round = 0; round < 200; round++)
      expect(findSawtooth(track(Array.from({ length: 80 }, () => 100 + 50 * random())))).toBeUndefined()
  })
})
