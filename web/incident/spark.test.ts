import { expect, test } from 'vitest'
import { sparkPath } from './spark.ts'

test('a series spans the box from edge to edge, high values up', () => {
  expect(
    sparkPath(
      [
        [0, 1],
        [10, 1],
        [20, 3],
      ],
      60,
      14,
    ),
  ).toBe('M0.0 13.0L30.0 13.0L60.0 1.0')
})

test('too little to draw is an empty path, and a flat series draws no nonsense', () => {
  expect(sparkPath([], 60, 14)).toBe('')
  expect(sparkPath([[5, 1]], 60, 14)).toBe('')
  expect(
    sparkPath(
      [
        [0, 2],
        [1, 2],
      ],
      60,
      14,
    ),
  ).toBe('M0.0 13.0L60.0 13.0')
})
