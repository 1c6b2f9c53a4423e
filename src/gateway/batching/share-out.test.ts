import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_USAGE } from '../../llm/chat.ts'
import { shareOut } from './share-out.ts'

test('shares add up to what was used and paid, each about its proportion', () => {
  fc.assert(
    fc.property(
      fc.nat(1_000_000),
      fc.nat(1_000_000_000),
      fc.array(fc.nat(100_000), { minLength: 1, maxLength: 40 }),
      (inputTokens, thousandths, weights) => {
        const costMicroUsd = thousandths / 1000
        const usage = { ...NO_USAGE, inputTokens, outputTokens: 0 }
        const shares = shareOut({ usage, source: 'measured', costMicroUsd }, weights)
        const sum = (of: (share: (typeof shares)[number]) => number | null) =>
          shares.reduce((all, share) => all + (of(share) ?? Number.NaN), 0)
        expect(sum(({ usage }) => usage.inputTokens)).toBe(inputTokens)
        expect(sum(({ usage }) => usage.outputTokens)).toBe(0)
        expect(Math.round(sum(({ costMicroUsd }) => costMicroUsd) * 1000)).toBe(thousandths)
        const all = weights.reduce((sum, weight) => sum + weight, 0)
        for (const [i, { usage }] of shares.entries()) {
          expect(usage.inputTokens).toBeGreaterThanOrEqual(0)
          const fair = all === 0 ? inputTokens / weights.length : (inputTokens * (weights[i] ?? 0)) / all
          expect(Math.abs((usage.inputTokens ?? 0) - fair)).toBeLessThanOrEqual(1)
        }
      },
    ),
  )
})

test('what is unknown stays unknown in every share', () => {
  const shares = shareOut({ usage: NO_USAGE, source: 'estimated', costMicroUsd: null }, [1, 2])
  expect(shares).toEqual([1, 2].map(() => ({ usage: NO_USAGE, source: 'estimated', costMicroUsd: null })))
})
