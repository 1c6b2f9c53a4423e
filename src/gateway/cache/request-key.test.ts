import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RequestKey } from './request-key.ts'
import { type AskedHow, askOf } from './testing/ask.ts'

const keyOf = (
  body: string | Record<string, unknown>,
  { tenant = 'a', variant = '', ...how }: AskedHow & { tenant?: string; variant?: string } = {},
) => new RequestKey(askOf(typeof body === 'string' ? body : JSON.stringify(body), how), { tenant, variant }).exact

const ASKED = { model: 'fast', messages: [{ role: 'user', content: 'Which city?' }] }

describe('the answer of one request is never that of another', () => {
  test.each([
    ['the system prompt', { messages: [{ role: 'system', content: 'Be brief.' }, ...ASKED.messages] }],
    ['tools', { tools: [{ type: 'function', function: { name: 'look' } }] }],
    ['the forced tool', { tool_choice: 'required' }],
    ['the seed', { seed: 7 }],
    ['the response format', { response_format: { type: 'json_object' } }],
    ['how many answers', { n: 2 }],
    ['the temperature', { temperature: 0.1 }],
    ['the limit of tokens', { max_tokens: 5 }],
    ['a penalty', { presence_penalty: 0.5 }],
    ['the service tier', { service_tier: 'flex' }],
    ['a member nobody here has heard of', { brand_new: true }],
    ['a member that is null', { seed: null }],
  ])('%s counts', (_name, more) => {
    expect(keyOf({ ...ASKED, ...more })).not.toBe(keyOf(ASKED))
  })

  test('tenant, dialect, model and what stands behind its name count', () => {
    const keys = [
      keyOf(ASKED),
      keyOf(ASKED, { tenant: 'b' }),
      keyOf(ASKED, { variant: 'gpt-5' }),
      keyOf(ASKED, { dialect: 'anthropic-messages' }),
      keyOf(ASKED, { model: 'big' }),
    ]
    expect(new Set(keys).size).toBe(keys.length)
  })

  test.each([
    ['integers that JavaScript rounds to one', '{"seed":9007199254740993}', '{"seed":9007199254740992}'],
    ['a key given twice', '{"seed":1,"seed":2}', '{"seed":2}'],
    ['a key given twice in another order', '{"seed":1,"seed":2}', '{"seed":2,"seed":1}'],
    ['a value that looks like the next member', '{"a":"1,\\"b\\":2"}', '{"a":"1","b":2}'],
    ['text that moves from one member to the next', '{"a":"xy","b":"z"}', '{"a":"x","b":"yz"}'],
    ['a tenant that ends like a variant begins', '{"a":1}', '{"a":1 ,"b":[]}'],
  ])('%s', (_name, one, other) => {
    expect(keyOf(one)).not.toBe(keyOf(other))
  })

  test('names with quotes and commas cannot be made to look like other names', () => {
    expect(keyOf(ASKED, { tenant: 'a","b', variant: 'c' })).not.toBe(keyOf(ASKED, { tenant: 'a', variant: 'b","c' }))
  })

  test('whatever two bodies say, they have one key only if their members agree', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string(), { maxLength: 2 }))
    const body = fc.dictionary(fc.constantFrom('model', 'seed', 'tools', 'a', 'b', '__proto__', 'n'), value, {
      noNullPrototype: true,
    })
    fc.assert(
      fc.property(body, body, (one, other) => {
        const sorted = (of: object) => JSON.stringify(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1)))
        expect(keyOf(JSON.stringify(one)) === keyOf(JSON.stringify(other))).toBe(sorted(one) === sorted(other))
      }),
    )
  })
})

describe('what changes nothing in the answer is no part of the key', () => {
  test.each([
    ['whether it is streamed', { stream: true, stream_options: { include_usage: true } }],
    ['who is behind it', { user: 'u1', safety_identifier: 'x' }],
    ['notes and storage', { metadata: { run: '7' }, store: true }],
    ['hints for the provider’s own cache', { prompt_cache_key: 'k', prompt_cache_retention: '24h' }],
  ])('%s', (_name, more) => {
    expect(keyOf({ ...ASKED, ...more })).toBe(keyOf(ASKED))
  })

  test('the order of the members, and the space around them', () => {
    expect(keyOf('{"seed":1,"model":"fast","a":[1, 2]}')).toBe(
      keyOf('\uFEFF {\n"a": [1, 2] , "model":"fast","seed":1}'),
    )
  })

  test('how the name of a member is spelled', () => {
    expect(keyOf('{"str\\u0065am":true,"se\\u0065d":1}')).toBe(keyOf('{"seed":1}'))
  })

  test('what the Responses API tells again in its answer does count', () => {
    const dialect = 'openai-responses'
    for (const more of [{ metadata: { run: '7' } }, { user: 'u1' }, { store: false }]) {
      expect(keyOf({ ...ASKED, ...more }, { dialect })).not.toBe(keyOf(ASKED, { dialect }))
    }
  })
})

test('requests share their bytes only where they are delivered alike', () => {
  const delivery = (more: Record<string, unknown>) =>
    new RequestKey(askOf(JSON.stringify({ ...ASKED, ...more })), { tenant: 'a', variant: '' }).delivery
  const usage = { stream: true, stream_options: { include_usage: true } }
  expect(new Set([delivery({}), delivery({ stream: true }), delivery(usage)]).size).toBe(3)
  expect(delivery({ stream: true, user: 'u1' })).toBe(delivery({ stream: true, user: 'u2' }))
})

test('around a hole, only what stands in it may differ', () => {
  const around = (text: string, before = 'Hi') => {
    const body = `{"messages":["${before}","${text}"],"seed":1}`
    const start = body.indexOf(`"${text}"]`)
    const key = new RequestKey(askOf(body), { tenant: 'a', variant: '' })
    return key.around({ start, end: start + text.length + 2 })
  }
  expect(around('one')).toBe(around('another'))
  expect(around('one')).not.toBe(around('one', 'Ho'))
})
