import { expect, it } from 'vitest'
import { NO_USAGE } from '../llm/chat.ts'
import { type Bill, sumBills } from './bill.ts'

const bill = (outputTokens: number, costMicroUsd: number | null, source: Bill['source'] = 'measured'): Bill => ({
  usage: { ...NO_USAGE, inputTokens: 10, outputTokens },
  source,
  costMicroUsd,
})

it('charges every try that began to answer, also the one that broke off', () => {
  expect(sumBills([bill(5, 100, 'estimated'), null, bill(20, 300)])).toEqual({
    usage: { ...NO_USAGE, inputTokens: 20, outputTokens: 25 },
    source: 'estimated',
    costMicroUsd: 400,
  })
})

it('knows no cost where one of the prices is unknown, instead of counting it as nothing', () => {
  expect(sumBills([bill(5, null), bill(20, 300)]).costMicroUsd).toBeNull()
})

it('knows nothing of a request that nobody began to answer', () => {
  expect(sumBills([null, null])).toEqual({ usage: null, source: 'unknown', costMicroUsd: null })
})
