import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProviderConfig } from '../config/schema.ts'
import type { ChargedTokens } from '../core/money.ts'
import { Secret } from '../core/secret.ts'
import { NO_USAGE } from '../llm/chat.ts'
import { costOf, mostCostOf, Prices } from './prices.ts'

const NOVEMBER = Date.UTC(2026, 10, 23, 12)
const key = new Secret('x')
const openai = (baseUrl: string): ProviderConfig => ({ kind: 'openai', baseUrl, headers: {} })
const anthropic: ProviderConfig = {
  kind: 'anthropic',
  baseUrl: 'https://api.anthropic.com',
  version: '2023-06-01',
  headers: {},
}
const gemini: ProviderConfig = {
  kind: 'gemini',
  baseUrl: 'https://generativelanguage.googleapis.com',
  apiKey: key,
  headers: {},
}
const azure: ProviderConfig = { kind: 'azure', baseUrl: 'https://corp.example', apiKey: key, headers: {} }
const bedrock: ProviderConfig = {
  kind: 'bedrock',
  region: 'eu-central-1',
  accessKeyId: key,
  secretAccessKey: key,
  headers: {},
}
const OPENAI = openai('https://api.openai.com/v1')

const used = (tokens: Partial<ChargedTokens>): ChargedTokens => ({
  ...NO_USAGE,
  inputTokens: 0,
  outputTokens: 0,
  ...tokens,
})
const cost = (provider: ProviderConfig, model: string, tokens: Partial<ChargedTokens>, at = NOVEMBER) =>
  costOf(used(tokens), new Prices().find(provider, { model }, at))

describe('what providers charge, reckoned by hand', () => {
  test('cached input costs its own rate and is not charged as input too', () => {
    // gpt-4o-mini: $0.15 in, $0.075 from the cache, $0.60 out.
    expect(cost(OPENAI, 'gpt-4o-mini', { inputTokens: 600, cacheReadTokens: 400, outputTokens: 100 })).toBe(
      90 + 30 + 60,
    )
  })

  test('writing to the cache for an hour costs more than for five minutes', () => {
    // claude-haiku-4-5: $1 in, $0.10 read, $1.25 written, $2 written for an hour, $5 out.
    const tokens = {
      inputTokens: 10,
      cacheReadTokens: 1000,
      cacheWriteTokens: 100,
      cacheWrite1hTokens: 50,
      outputTokens: 20,
    }
    expect(cost(anthropic, 'claude-haiku-4-5', tokens)).toBe(10 + 100 + 125 + 100 + 100)
  })

  test('a long prompt is dearer as a whole, and what came from the cache counts to its length', () => {
    // gemini-2.5-pro: $1.25 / $10 up to 200,000 tokens of prompt, $2.50 / $15 beyond; from the cache $0.125 / $0.25.
    expect(cost(gemini, 'gemini-2.5-pro', { inputTokens: 200_000, outputTokens: 1000 })).toBe(250_000 + 10_000)
    expect(cost(gemini, 'gemini-2.5-pro', { inputTokens: 200_001, outputTokens: 1000 })).toBe(500_002.5 + 15_000)
    expect(cost(gemini, 'gemini-2.5-pro', { inputTokens: 1, cacheReadTokens: 200_000, outputTokens: 1000 })).toBe(
      2.5 + 50_000 + 15_000,
    )
  })

  test('a price holds from its date, and by its hour', () => {
    // o3 came down from $10 to $2 on 10 June 2025.
    expect(cost(OPENAI, 'o3', { inputTokens: 1000 }, Date.UTC(2025, 5, 9, 23, 59))).toBe(10_000)
    expect(cost(OPENAI, 'o3', { inputTokens: 1000 }, Date.UTC(2025, 5, 10))).toBe(2_000)
    // deepseek-reasoner: half price and less from 16:30 to 00:30 UTC.
    const deepseek = openai('https://api.deepseek.com/v1')
    const prices = new Prices()
    const at = (ms: number) =>
      costOf(used({ inputTokens: 1000 }), prices.find(deepseek, { model: 'deepseek-reasoner' }, ms))
    expect(at(Date.UTC(2026, 0, 1, 16, 29, 59))).toBe(550)
    expect(at(Date.UTC(2026, 0, 1, 16, 30))).toBe(135)
  })
})

describe('whose price it is', () => {
  test.each([
    ['Groq', openai('https://api.groq.com/openai/v1'), 'llama-3.3-70b-versatile', 590],
    ['OpenRouter', openai('https://openrouter.ai/api/v1'), 'openai/gpt-4o-mini', 150],
    ['Azure, by the name of its model', azure, 'gpt-4o-mini', 150],
    ['Azure through its v1 API', openai('https://corp.openai.azure.com/openai/v1'), 'gpt-4o-mini', 150],
    ['Bedrock in a region', bedrock, 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0', 3300],
    ['Bedrock anywhere', bedrock, 'global.anthropic.claude-sonnet-4-5-20250929-v1:0', 3000],
    ['embeddings, which have no output', OPENAI, 'text-embedding-3-small', 20],
  ])('%s', (_name, provider, model, expected) => {
    expect(cost(provider, model, { inputTokens: 1000 })).toBe(expected)
  })

  test.each([
    ['an address that nobody is known by', openai('http://127.0.0.1:8000/v1'), 'gpt-4o-mini'],
    ['an address that only contains a known one', openai('https://evil.example/https://api.openai.com'), 'gpt-4o-mini'],
    ['a model that is not listed', OPENAI, 'gpt-of-our-own'],
    ['a deployment with a name of its own', azure, 'prod-1'],
    ['a price a request, which tokens do not tell', openai('https://api.perplexity.ai'), 'sonar'],
  ])('%s has no known price, which is not the same as none', (_name, provider, model) => {
    expect(new Prices().find(provider, { model }, NOVEMBER)).toBeNull()
  })

  test('the price of the config is taken before the list', () => {
    const known = new Prices().find(OPENAI, { model: 'gpt-4o-mini', price: { inputUsd: 7, outputUsd: 9 } }, NOVEMBER)
    expect(known?.source).toBe('config')
    expect(costOf(used({ inputTokens: 10, outputTokens: 1 }), known)).toBe(79)
    expect(new Prices().find(OPENAI, { model: 'gpt-4o-mini' }, NOVEMBER)?.source).toBe('price-list')
  })

  test('a model of one’s own costs no money', () => {
    const local: ProviderConfig = { kind: 'local', path: '/m.gguf', parallel: 1 }
    expect(cost(local, 'any', { inputTokens: 1000, outputTokens: 1000 })).toBe(0)
  })
})

test('no call costs more than the most that was foreseen, whichever tier its prompt falls into', () => {
  const prices = new Prices()
  const models = [
    [OPENAI, 'gpt-5.4'],
    [anthropic, 'claude-sonnet-4-5'],
    [gemini, 'gemini-2.5-pro'],
    [OPENAI, 'gpt-4o-mini'],
  ] as const
  const count = fc.nat({ max: 300_000 })
  fc.assert(
    fc.property(fc.constantFrom(...models), count, count, count, count, count, ([provider, model], a, b, c, d, out) => {
      const known = prices.find(provider, { model }, NOVEMBER)
      if (!known) throw new Error(`${model} has no price`)
      const tokens = used({
        inputTokens: a,
        cacheReadTokens: b,
        cacheWriteTokens: c,
        cacheWrite1hTokens: d,
        outputTokens: out,
      })
      expect(costOf(tokens, known)).toBeLessThanOrEqual(mostCostOf(a + b + c + d, out, known) + 0.001)
    }),
  )
})
