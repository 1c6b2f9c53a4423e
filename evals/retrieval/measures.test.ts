import { expect, it } from 'vitest'
import { areaUnderCurve, interval, ndcg, recall, reciprocalRank } from './measures.ts'

it('the measures are those of the field, on a ranking worked out by hand', () => {
  const ranked = ['a', 'b', 'c', 'd']
  const relevant = new Set(['b', 'd', 'z'])
  const ideal = 1 + 1 / Math.log2(3) + 1 / Math.log2(4)
  expect(ndcg(ranked, relevant, 10)).toBeCloseTo((1 / Math.log2(3) + 1 / Math.log2(5)) / ideal)
  expect(recall(ranked, relevant, 2)).toBeCloseTo(1 / 3)
  expect(reciprocalRank(ranked, relevant)).toBe(0.5)
  expect(areaUnderCurve([0.9, 0.5], [0.5, 0.1])).toBeCloseTo(0.875)
  expect(areaUnderCurve([], [1])).toBeNull()
})

it('an interval holds the mean, and is the same for the same values', () => {
  const values = Array.from({ length: 100 }, (_, i) => i / 100)
  const [low, high] = interval(values)
  expect(low).toBeLessThan(0.495)
  expect(high).toBeGreaterThan(0.495)
  expect(high - low).toBeLessThan(0.2)
  expect(interval(values)).toEqual([low, high])
})
