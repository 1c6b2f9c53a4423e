import { expect, test } from 'vitest'
import { createRandom } from './random.ts'

test('the same seed gives the same run, another one another', () => {
  const draw = (seed: number) => {
    const random = createRandom(seed)
    return Array.from({ length: 20 }, () => random.int(1, 1000))
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
})

test('both ends of a range come up, and nothing outside it', () => {
  const random = createRandom(3)
  const drawn = new Set(Array.from({ length: 500 }, () => random.int(2, 5)))
  expect([...drawn].toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5])
})
