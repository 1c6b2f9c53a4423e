import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { allInputTokens, type ChargedTokens, costMicroUsd, formatUsd, mostMicroUsd } from './money.ts'

const usage = (input: number | null, output: number | null, cache: Partial<ChargedTokens> = {}): ChargedTokens => ({
  inputTokens: input,
  outputTokens: output,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  cacheWrite1hTokens: null,
  ...cache,
})

test('a million tokens cost their price', () => {
  expect(costMicroUsd(usage(1e6, 0), { inputUsd: 0.15, outputUsd: 0.6 })).toBe(150_000)
  expect(costMicroUsd(usage(1, 1), { inputUsd: 0.15, outputUsd: 0.6 })).toBe(0.75)
})

test('what is not known is null, never nothing', () => {
  const price = { inputUsd: 1, outputUsd: 1 }
  expect(costMicroUsd(usage(1, 1), undefined)).toBeNull()
  expect(costMicroUsd(usage(1, 1), null)).toBeNull()
  expect(costMicroUsd(usage(null, 1), price)).toBeNull()
  expect(costMicroUsd(usage(1, null), price)).toBeNull()
})

test('each way of caching has its own rate, and what has none costs what it stands in for', () => {
  const cached = usage(10, 100, { cacheReadTokens: 1000, cacheWriteTokens: 200, cacheWrite1hTokens: 30 })
  const sonnet = { inputUsd: 3, outputUsd: 15, cacheReadUsd: 0.3, cacheWriteUsd: 3.75, cacheWrite1hUsd: 6 }
  // 10 x 3 + 1000 x 0.3 + 200 x 3.75 + 30 x 6 + 100 x 15
  expect(costMicroUsd(cached, sonnet)).toBe(30 + 300 + 750 + 180 + 1500)
  expect(costMicroUsd(cached, { ...sonnet, cacheWrite1hUsd: undefined })).toBe(30 + 300 + 750 + 112.5 + 1500)
  expect(costMicroUsd(cached, { inputUsd: 3, outputUsd: 15 })).toBe(1240 * 3 + 1500)
})

const tokens = fc.nat({ max: 2_000_000 })
const rate = fc.integer({ min: 0, max: 200_000 }).map((n) => n / 1000)
const somePrice = fc.record(
  { inputUsd: rate, outputUsd: rate, cacheReadUsd: rate, cacheWriteUsd: rate, cacheWrite1hUsd: rate },
  { requiredKeys: ['inputUsd', 'outputUsd'] },
)
const someUsage = fc.record({
  inputTokens: tokens,
  cacheReadTokens: tokens,
  cacheWriteTokens: tokens,
  cacheWrite1hTokens: tokens,
  outputTokens: tokens,
})

test('every token is charged exactly once: the cost is the sum of what each kind costs alone', () => {
  const nothing = usage(0, 0)
  fc.assert(
    fc.property(someUsage, somePrice, (used, price) => {
      const alone = Object.entries(used).map(([kind, n]) => costMicroUsd({ ...nothing, [kind]: n }, price) ?? NaN)
      expect(costMicroUsd(used, price)).toBeCloseTo(
        alone.reduce((sum, cost) => sum + cost, 0),
        1,
      )
      // A token that came from the cache costs the rate of the cache and nothing of the rate of input.
      const dearInput = { ...price, cacheReadUsd: price.cacheReadUsd ?? 1, inputUsd: price.inputUsd + 1000 }
      const read = { ...nothing, cacheReadTokens: used.cacheReadTokens }
      expect(costMicroUsd(read, dearInput)).toBe(
        costMicroUsd(read, { ...price, cacheReadUsd: price.cacheReadUsd ?? 1 }),
      )
    }),
  )
})

test('more tokens never cost less, and never more than the most that was foreseen for them', () => {
  fc.assert(
    fc.property(
      someUsage,
      somePrice,
      fc.constantFrom(...(Object.keys(usage(0, 0)) as (keyof ChargedTokens)[])),
      (used, price, kind) => {
        const cost = costMicroUsd(used, price) ?? NaN
        expect(costMicroUsd({ ...used, [kind]: used[kind] + 1 }, price)).toBeGreaterThanOrEqual(cost)
        expect(cost).toBeLessThanOrEqual(mostMicroUsd(allInputTokens(used), used.outputTokens, price) + 0.001)
      },
    ),
  )
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
