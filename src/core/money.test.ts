import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { costMicroUsd, formatUsd } from './money.ts'

test('a million tokens cost their price', () => {
  expect(costMicroUsd({ input: 1e6, output: 0 }, { inputUsd: 0.15, outputUsd: 0.6 })).toBe(150_000)
  expect(costMicroUsd({ input: 1, output: 1 }, { inputUsd: 0.15, outputUsd: 0.6 })).toBe(0.75)
})

test('what is not known is null, never nothing', () => {
  const price = { inputUsd: 1, outputUsd: 1 }
  expect(costMicroUsd({ input: 1, output: 1 }, undefined)).toBeNull()
  expect(costMicroUsd({ input: null, output: 1 }, price)).toBeNull()
  expect(costMicroUsd({ input: 1, output: null }, price)).toBeNull()
})

test('dollars are written without an exponent and read back the same', () => {
  expect([formatUsd(74), formatUsd(0), formatUsd(1_500_000), formatUsd(0.05), formatUsd(10_000_000)]).toEqual([
    '0.000074',
    '0',
    '1.5',
    '0.00000005',
    '10',
  ])
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), (thousandths) => {
      const text = formatUsd(thousandths / 1000)
      expect(text).toMatch(/^\d+(\.\d*[1-9])?$/)
      expect(Number(text) * 1e6).toBeCloseTo(thousandths / 1000, 3)
    }),
  )
})
