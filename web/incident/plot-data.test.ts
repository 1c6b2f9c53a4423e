import { expect, test } from 'vitest'
import { plotData } from './plot-data.ts'

test('a hole in the series stays a hole', () => {
  const points = [0, 15, 30, 45, 200, 215].map((s) => [s * 1000, 1] as const)
  expect(plotData(points)).toEqual([
    [0, 15, 30, 45, 60, 200, 215],
    [1, 1, 1, 1, null, 1, 1],
  ])
})

test('one point too late is no hole, and what is no number is not drawn', () => {
  const points = [
    [0, 1],
    [15_000, Number.NaN],
    [45_000, 3],
  ] as const
  expect(plotData(points)).toEqual([
    [0, 15, 45],
    [1, null, 3],
  ])
  expect(plotData([])).toEqual([[], []])
})
