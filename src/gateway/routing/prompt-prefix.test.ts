import fc from 'fast-check'
import { expect, test } from 'vitest'
import { prefixHash } from './prompt-prefix.ts'

const hash = (body: unknown, tenant = 'acme') => prefixHash(Buffer.from(JSON.stringify(body)), tenant)
const user = (content: unknown) => ({ role: 'user', content })
const system = { role: 'system', content: 'Be brief.' }

test('what varies from call to call does not count', () => {
  const messages = [system, user('Hello')]
  const plain = hash({ model: 'fast', messages })
  expect(hash({ user: 'u1', seed: 7, model: 'fast', metadata: { messages: 1 }, temperature: 1, messages })).toBe(plain)
  expect(hash({ model: 'fast', messages, stream: true })).toBe(plain)
})

test.each<[string, object, object]>([
  ['chat', { messages: [system, user('a')] }, { messages: [system, user('b')] }],
  ['chat, by its system prompt', { messages: [system, user('a')] }, { messages: [user('a')] }],
  ['messages, by their system prompt', { system: 'x', messages: [user('a')] }, { system: 'y', messages: [user('a')] }],
  ['messages, by their tools', { tools: [{ name: 'x' }], messages: [user('a')] }, { tools: [], messages: [user('a')] }],
  ['responses', { input: 'a' }, { input: 'b' }],
  ['responses, by their instructions', { instructions: 'x', input: 'a' }, { instructions: 'y', input: 'a' }],
  ['responses with items', { input: [user('a')] }, { input: [user('b')] }],
])('%s: prompts that begin otherwise are apart', (_dialect, one, other) => {
  expect(hash(one)).not.toBe(hash(other))
})

test('turns after the first of the user do not count', () => {
  const first = [system, { role: 'user', content: [{ type: 'text', text: 'a "role": "user" \\' }] }]
  const later = [...first, { role: 'assistant', content: 'b' }, user('c')]
  expect(hash({ messages: later, tools: [1] })).toBe(hash({ messages: first, tools: [1] }))
  expect(hash({ input: later })).toBe(hash({ input: first }))
})

test('only the first KiB counts', () => {
  const long = 'x'.repeat(4000)
  expect(hash({ messages: [user(`${long}a`)] })).toBe(hash({ messages: [user(`${long}b`)] }))
  expect(hash({ messages: [user(`a${long}`)] })).not.toBe(hash({ messages: [user(`b${long}`)] }))
})

test('white space between members does not lose them', () => {
  const body = { model: 'x', messages: [system, user('a'), user('b')] }
  const spaced = prefixHash(Buffer.from(JSON.stringify(body, null, 2)), 'acme')
  const shorter = prefixHash(
    Buffer.from(JSON.stringify({ ...body, messages: body.messages.slice(0, 2) }, null, 2)),
    'acme',
  )
  expect(spaced).toBe(shorter)
})

test('any bytes, JSON or not and cut anywhere, give a number', () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc.record({ messages: fc.array(fc.jsonValue()), tools: fc.jsonValue(), input: fc.jsonValue() }).chain((value) => {
      const bytes = Buffer.from(JSON.stringify(value))
      return fc.nat(bytes.length).map((end) => bytes.subarray(0, end))
    }),
  )
  fc.assert(
    fc.property(bodies, (body) => {
      const value = prefixHash(body, 'acme')
      expect(Number.isInteger(value) && value >= 0 && value < 2 ** 32).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

test('ten megabytes cost no more than their first part', () => {
  const messages = Array.from({ length: 5 }, () => ({ role: 'assistant', content: [1, 2, 3] }))
  const body = Buffer.from(JSON.stringify({ junk: Array.from({ length: 2_000_000 }, () => [0]), messages }))
  const startedMs = performance.now()
  for (let i = 0; i < 10; i++) prefixHash(body, 'acme')
  expect(performance.now() - startedMs).toBeLessThan(500)
})
