import { expect, test } from 'vitest'
import { addRateLimits, formatDuration, NO_STANDING } from './standing.ts'

test.each([
  [0, '0ms'],
  [16.2, '17ms'],
  [1_000, '1s'],
  [1_001, '2s'],
  [60_000, '1m0s'],
  [360_000, '6m0s'],
  [3_723_000, '1h2m3s'],
])('%i ms are written as OpenAI does: %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

test('the headers name what is limited, and nothing else', () => {
  const headers = {}
  addRateLimits(headers, NO_STANDING)
  expect(headers).toEqual({})
  const requests = { limit: 60, remaining: 59, resetMs: 60_400 }
  addRateLimits(headers, { requests, tokens: undefined })
  expect(headers).toEqual({
    'x-ratelimit-limit-requests': '60',
    'x-ratelimit-remaining-requests': '59',
    'x-ratelimit-reset-requests': '1m1s',
  })
})
