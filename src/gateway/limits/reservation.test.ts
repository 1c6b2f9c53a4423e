import { expect, test } from 'vitest'
import { NO_USAGE } from '../../llm/chat.ts'
import type { KnownPrice } from '../prices.ts'
import { usedBy, worstCase } from './reservation.ts'

const at = (inputUsd: number, outputUsd: number): KnownPrice => ({
  source: 'config',
  tiers: [{ aboveInputTokens: 0, price: { inputUsd, outputUsd } }],
})
const wanted = { promptCharacters: 3000, maxOutputTokens: 500, choices: 1, writes: true }

test('the dearest candidate decides what is reserved', () => {
  expect(worstCase(wanted, [{ price: at(1, 2) }, { price: at(2, 4) }, { price: at(1, 1) }])).toEqual({
    tokens: 1500,
    costMicroUsd: 1000 * 2 + 500 * 4,
  })
})

test('one candidate without a known price makes the whole unknown', () => {
  expect(worstCase(wanted, [{ price: at(1, 2) }, { price: null }]).costMicroUsd).toBeNull()
  expect(worstCase(wanted, [{ price: null }, { price: at(1, 2) }]).costMicroUsd).toBeNull()
})

test('the answer is as long as the caller allows, else the target, else a default; every alternative counts', () => {
  const free = { ...wanted, maxOutputTokens: null }
  expect(worstCase(wanted, [{ price: at(0, 1), maxOutputTokens: 100 }]).costMicroUsd).toBe(100)
  expect(worstCase(free, [{ price: at(0, 1), maxOutputTokens: 100 }]).costMicroUsd).toBe(100)
  expect(worstCase(free, [{ price: at(0, 1) }]).costMicroUsd).toBe(4096)
  expect(worstCase({ ...wanted, choices: 3 }, [{ price: at(0, 1) }]).costMicroUsd).toBe(1500)
  expect(worstCase({ ...free, writes: false }, [{ price: at(1, 1) }])).toEqual({ tokens: 1000, costMicroUsd: 1000 })
})

test('usage that is not wholly known leaves the tokens as they were reserved', () => {
  expect(usedBy({ ...NO_USAGE, inputTokens: 10 }, 5)).toEqual({ tokens: null, costMicroUsd: 5 })
  const usage = { ...NO_USAGE, inputTokens: 10, cacheReadTokens: 20, cacheWriteTokens: 5, outputTokens: 7 }
  expect(usedBy(usage, null)).toEqual({ tokens: 42, costMicroUsd: null })
})
