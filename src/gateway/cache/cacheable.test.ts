import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../config/load.ts'
import type { ModelConfig } from '../../config/schema.ts'
import { type CacheDirective, isCacheable, isShareable, readCacheDirective } from './cacheable.ts'
import { RequestKey } from './request-key.ts'
import { askOf } from './testing/ask.ts'

const model = (settings: string): ModelConfig =>
  parseConfig(
    `providers: { p: { kind: openai, baseUrl: "http://127.0.0.1:1/v1" } }
models: { fast: { targets: [{ provider: p, model: m }], coalesce: true, cache: { ${settings} } } }`,
    'test.yaml',
    {},
  ).models['fast'] as ModelConfig

const request = (more: Record<string, unknown>) =>
  new RequestKey(askOf(JSON.stringify({ model: 'fast', messages: [], ...more })), { tenant: 'a', variant: '' })

const cacheable = (more: Record<string, unknown>, settings = 'mode: exact', directive: CacheDirective | null = null) =>
  isCacheable(request(more), model(settings).cache, directive)

describe('a request is answered from the cache', () => {
  test.each([
    ['that says nothing of variety', {}],
    ['at a low temperature', { temperature: 0.3 }],
    ['with an empty list of tools', { tools: [] }],
    ['with nothing in the place of tools', { tools: null, functions: null }],
    ['not run in the background', { background: false }],
  ])('%s', (_name, more) => {
    expect(cacheable(more)).toEqual({ kind: 'yes', read: true })
    expect(isShareable(request(more), model('mode: off'), null)).toBe(true)
  })
})

describe('a request that is meant to vary is neither cached nor shared', () => {
  test.each([
    ['tools', { tools: [{ type: 'function', function: { name: 'look' } }] }],
    ['tools', { functions: [{ name: 'look' }] }],
    ['tools', { mcp_servers: [{ url: 'http://127.0.0.1' }] }],
    ['tools', { web_search_options: {} }],
    ['temperature', { temperature: 0.31 }],
    ['choices', { n: 2 }],
  ])('because of %s', (reason, more) => {
    expect(cacheable(more)).toEqual({ kind: 'no', reason })
    expect(isShareable(request(more), model('mode: off'), null)).toBe(false)
  })

  test('unless the model’s config says so', () => {
    expect(cacheable({ temperature: 1, n: 3, tools: [{}] }, 'mode: exact, varied: true')).toMatchObject({ kind: 'yes' })
    expect(isShareable(request({ temperature: 1 }), model('varied: true'), null)).toBe(true)
  })
})

test('what a provider remembers is never cached, whatever the config says', () => {
  for (const more of [{ conversation: 'conv_1' }, { background: true }, { container: 'c1' }]) {
    expect(cacheable(more, 'mode: exact, varied: true')).toEqual({ kind: 'no', reason: 'stateful' })
  }
})

test('the caller can keep an answer out of the cache, or have it made anew', () => {
  expect(cacheable({}, 'mode: exact', 'no-store')).toEqual({ kind: 'no', reason: 'no-store' })
  expect(cacheable({}, 'mode: exact', 'refresh')).toEqual({ kind: 'yes', read: false })
  for (const directive of ['no-store', 'refresh'] as const) {
    expect(isShareable(request({}), model('mode: exact'), directive)).toBe(false)
  }
})

test('without the model’s config there is no cache', () => {
  expect(cacheable({}, '')).toEqual({ kind: 'no', reason: 'off' })
})

test('a directive that is none is told, not ignored', () => {
  expect([readCacheDirective(undefined), readCacheDirective(' No-Store '), readCacheDirective('refresh')]).toEqual([
    null,
    'no-store',
    'refresh',
  ])
  expect(() => readCacheDirective('no-cache')).toThrow('must be no-store or refresh')
})
