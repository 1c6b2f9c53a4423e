import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blockedError, guard, type Guarded, type PiiPolicy } from './guard.ts'
import { restoreText } from './restore.ts'
import { PII_TYPES } from './spans.ts'

const policy = (action: PiiPolicy['action']): PiiPolicy => ({ action, types: PII_TYPES })
const pseudonymise = policy('pseudonymise')

function changed(body: string | object, by: PiiPolicy = pseudonymise) {
  const guarded = guard(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), by)
  if (guarded.kind !== 'changed') throw new Error(`it was ${guarded.kind}`)
  const text = guarded.body.toString()
  return { ...guarded, text, json: JSON.parse(text) as unknown }
}

const chat = (content: unknown, more: object = {}) => ({
  model: 'fast',
  messages: [{ role: 'user', content }],
  ...more,
})

describe('whatever the surface, an address in it does not reach the provider', () => {
  const at = 'jo@example.com'
  const surfaces: Readonly<Record<string, object>> = {
    'chat: text': chat(`mail ${at}`),
    'chat: text part': chat([{ type: 'text', text: `mail ${at}` }]),
    'chat: system': { messages: [{ role: 'system', content: at }] },
    'chat: tool arguments': {
      messages: [
        { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: JSON.stringify({ to: at }) } }] },
      ],
    },
    'chat: tool result': {
      messages: [{ role: 'tool', tool_call_id: 'call_1', content: JSON.stringify([{ a: [at] }]) }],
    },
    'chat: tool description': { tools: [{ type: 'function', function: { name: 'f', description: `ask ${at}` } }] },
    'chat: schema': { tools: [{ function: { parameters: { properties: { name: { type: 'string', enum: [at] } } } } }] },
    'chat: prediction': { prediction: { type: 'content', content: at } },
    'chat: metadata': { metadata: { owner: at } },
    'chat: file name': chat([{ type: 'file', file: { filename: `${at}.pdf`, file_data: 'data:x' } }]),
    'responses: input': { input: `mail ${at}` },
    'responses: item': { input: [{ role: 'user', content: [{ type: 'input_text', text: at }] }] },
    'responses: instructions': { instructions: at },
    'responses: call output': { input: [{ type: 'function_call_output', call_id: 'call_1', output: at }] },
    'responses: prompt variables': { prompt: { id: 'p', variables: { id: at } } },
    'embeddings: input': { input: ['hello', at] },
    'messages: system': { system: [{ type: 'text', text: at }] },
    'messages: tool use': {
      messages: [{ content: [{ type: 'tool_use', id: 't', name: 'f', input: { id: at, name: { url: at } } }] }],
    },
    'messages: key of a tool use': { messages: [{ content: [{ type: 'tool_use', input: { [at]: true } }] }] },
    'messages: tool result': {
      messages: [{ content: [{ type: 'tool_result', content: [{ type: 'text', text: at }] }] }],
    },
    'messages: document': {
      messages: [{ content: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: at } }] }],
    },
    'an unknown field': { somethingNew: { deep: [[at]] } },
  }
  for (const [name, body] of Object.entries(surfaces))
    test(name, () => {
      const { text, found, vault } = changed(body)
      expect(text).not.toContain(at)
      expect(found.every(({ type }) => type === 'email')).toBe(true)
      expect(restoreText(vault, text)).toBe(JSON.stringify(body))
    })
})

describe('what would break the call is left alone', () => {
  const at = 'jo@example.com'
  const left: Readonly<Record<string, object>> = {
    'the model': { model: at },
    'ids and names': { messages: [{ name: at, tool_call_id: at, tool_calls: [{ id: at, function: { name: at } }] }] },
    'the bytes of an image': { content: [{ source: { type: 'base64', media_type: 'image/png', data: `AA${at}` } }] },
    'the address of an image': chat([{ type: 'image_url', image_url: { url: `https://x.com/?u=a%40b.com` } }]),
    audio: chat([{ type: 'input_audio', input_audio: { data: at, format: 'wav' } }]),
    'credentials of a tool of the provider': {
      tools: [{ type: 'mcp', server_url: 'https://a:b@x.com', headers: { Authorization: 'Bearer abcdef1234567890' } }],
    },
    'stop sequences': { stop: [at] },
    'hidden reasoning': { input: [{ type: 'reasoning', encrypted_content: at }] },
  }
  for (const [name, body] of Object.entries(left))
    test(name, () =>
      expect(guard(Buffer.from(JSON.stringify(body)), pseudonymise)).toEqual({ kind: 'clean', found: [] }),
    )
})

test('a clean body passes as the same bytes, and nothing is made', () => {
  const body = Buffer.from(
    '{ "model" : "fast", "messages":[{"role":"user","content":"Hello \\u00e9 at 10:30"}] , "n":1.50}',
  )
  expect(guard(body, pseudonymise)).toEqual({ kind: 'clean', found: [] })
})

test('only what was found is replaced: every other byte stays', () => {
  const { text } = changed(
    '{ "n":1.50 , "big":12345678901234567890, "messages":[{"content" : "to jo@x.com, \\ud800"},{"content":"jo@x.com!"}] }',
  )
  expect(text).toBe(
    '{ "n":1.50 , "big":12345678901234567890, "messages":[{"content" : "to [EMAIL-1], \\ud800"},{"content":"[EMAIL-1]!"}] }',
  )
})

test('escapes hide nothing', () => {
  for (const hidden of ['jo\\u0040x.com', '\\u006ao@x.com', 'jo@x\\u002ecom', 'jo\\u0040x\\u002Ecom'])
    expect(changed(`{"messages":[{"content":"${hidden}"}]}`).text).toBe('{"messages":[{"content":"[EMAIL-1]"}]}')
  const twice = JSON.stringify({ arguments: '{"to":"jo\\u0040x.com"}' })
  expect(changed(`{"messages":[${twice}]}`).text).toBe('{"messages":[{"arguments":"{\\"to\\":\\"[EMAIL-1]\\"}"}]}')
  expect(changed('{"\\u006dessages":[{"c\\u006fntent":"jo@x.com"}]}').found).toHaveLength(1)
})

test('the same value has one placeholder, another value another', () => {
  const { json } = changed(chat('a@x.com b@x.com a@x.com 203.0.113.7'))
  expect(json).toEqual(chat('[EMAIL-1] [EMAIL-2] [EMAIL-1] [IP-1]'))
})

test('a placeholder that the request already speaks of is never made, however it is written there', () => {
  for (const forged of ['[EMAIL-1]', 'email-1', '[EMAIL\\u002d1]', '\\u005bEMAIL-1]']) {
    const { vault, text } = changed(`{"messages":[{"content":"say ${forged}"},{"content":"jo@x.com"}]}`)
    expect(text).toContain('[EMAIL-2]')
    expect(restoreText(vault, '[EMAIL-1] [EMAIL-2]')).toBe('[EMAIL-1] jo@x.com')
  }
})

test('a conversation that grows gives the same placeholders again', () => {
  const first = { messages: [{ role: 'user', content: 'I am a@x.com' }], system: 'Owner: o@x.com' }
  const later = { ...first, messages: [...first.messages, { role: 'user', content: 'and b@x.com' }] }
  const before = changed(first).json as typeof first
  const after = changed(later).json as typeof first
  expect(after.messages[0]).toEqual(before.messages[0])
  expect(after.system).toBe(before.system)
})

test('signed reasoning comes out as the model wrote it: what it alone says is left', () => {
  const thinking = { type: 'thinking', thinking: 'They are a@x.com; I make up z@x.com', signature: 'c2ln' }
  const { json } = changed({ messages: [{ content: 'a@x.com' }, { content: [thinking] }] })
  expect(json).toMatchObject({ messages: [{}, { content: [{ thinking: 'They are [EMAIL-1]; I make up z@x.com' }] }] })
  const alone = Buffer.from(JSON.stringify({ messages: [{ content: [thinking] }] }))
  expect(guard(alone, policy('block')).kind).toBe('clean')
})

test('the name of a member says what its value is', () => {
  const { json } = changed({
    messages: [
      { content: [{ type: 'tool_use', input: { password: 'a "b" c9', phone: '98765432', card: 4111111111111111 } }] },
    ],
  })
  expect(json).toEqual({
    messages: [
      { content: [{ type: 'tool_use', input: { password: '[SECRET-1]', phone: '[PHONE-1]', card: '[CARD-1]' } }] },
    ],
  })
})

test('masking says what stood there, and keeps nothing', () => {
  const { text, vault } = changed(chat('a@x.com, 4111 1111 1111 1111'), policy('mask'))
  expect(JSON.parse(text)).toEqual(chat('[email], [card]'))
  expect(vault.isEmpty).toBe(true)
})

test('a refusal names kinds and fields, and never a value', () => {
  const body = chat('a@x.com', { metadata: { 'b@x.com': 'password=hunter2' } })
  const guarded = guard(Buffer.from(JSON.stringify(body)), policy('block'))
  if (guarded.kind !== 'blocked') throw new Error(guarded.kind)
  const error = blockedError(guarded.found)
  expect(error).toMatchObject({ code: 'content_blocked', status: 422, field: 'messages.0.content' })
  expect(error.message).toContain(
    'an e-mail address in messages.0.content, an e-mail address in metadata, a key or password in metadata',
  )
  expect(JSON.stringify(guarded) + error.message).not.toMatch(/x\.com|hunter2/)
})

test('detecting counts and changes nothing', () => {
  const guarded = guard(Buffer.from(JSON.stringify(chat('a@x.com'))), policy('detect'))
  expect(guarded).toEqual({ kind: 'clean', found: [{ type: 'email', field: 'messages.0.content' }] })
})

test('only the kinds that the policy names are touched', () => {
  const { text } = changed(chat('a@x.com 203.0.113.7'), { action: 'mask', types: ['ip'] })
  expect(text).toContain('a@x.com [ip]')
})

test('a vault prints nothing of what it keeps', () => {
  const { vault } = changed(chat('a@x.com'))
  expect(inspect(vault, { depth: 9, showHidden: true }) + JSON.stringify({ vault })).not.toContain('a@x.com')
})

const PIECES = [
  'a@x.com',
  'b.c@y.org',
  '+44 20 7946 0958',
  'password="x\\"y9z"',
  '-----BEGIN PRIVATE KEY-----\nM\n-----END PRIVATE KEY-----',
]
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(...PIECES, ' ', '[EMAIL-1]', '[', ']', '\n', '"', '\\', 'é', '漢😀'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(' '))
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    texts,
    fc.double(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('content', 'input', 'text', 'arguments', 'x', 'a@x.com'), tie('value'), {
      maxKeys: 3,
    }),
  ),
})).value

test('whatever the request, it stays JSON of the same shape, and the vault gives back what was there', () => {
  fc.assert(
    fc.property(values, fc.constantFrom(undefined, 1), (value, space) => {
      const body = Buffer.from(JSON.stringify({ messages: [value] }, null, space))
      const guarded: Guarded = guard(body, pseudonymise)
      if (guarded.kind !== 'changed') return
      const { vault } = guarded
      const back = (inner: unknown): unknown => {
        if (typeof inner === 'string') return restoreText(vault, inner)
        if (Array.isArray(inner)) return inner.map(back)
        if (inner === null || typeof inner !== 'object') return inner
        return Object.fromEntries(Object.entries(inner).map(([key, one]) => [restoreText(vault, key), back(one)]))
      }
      expect(back(JSON.parse(guarded.body.toString()))).toEqual(JSON.parse(body.toString()))
    }),
    { numRuns: 400 },
  )
})

describe('a hostile body costs time in proportion to its length', () => {
  test('deep nesting', () => {
    const deep = `${'['.repeat(200_000)}"a@x.com"${']'.repeat(200_000)}`
    expect(guard(Buffer.from(`{"input":${deep}}`), pseudonymise).kind).toBe('changed')
  })
  test('JSON in a string in a string, again and again', () => {
    let inner = '{"a":"jo@x.com"}'
    for (let i = 0; i < 12; i++) inner = JSON.stringify({ a: inner })
    expect(changed(`{"input":${JSON.stringify(inner)}}`).text).not.toContain('jo@x.com')
  })
  test('a quarter of a million members called data', () => {
    const members = '"data":"a@x.com",'.repeat(250_000)
    expect(changed(`{"input":{${members}"z":1}}`).found).toHaveLength(250_000)
  }, 12_000)
  test('two hundred thousand values', () => {
    const content = Array.from({ length: 200_000 }, (_, i) => `u${i}@x.com`).join(' ')
    expect(changed(chat(content)).found).toHaveLength(200_000)
  })
  test('an image of eight megabytes', () => {
    const data = Buffer.alloc(6_000_000, 'K7@x').toString('base64')
    const body = chat([
      { type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } },
      { type: 'text', text: 'a@x.com' },
    ])
    expect(changed(body).found).toEqual([{ type: 'email', field: 'messages.0.content.1.text' }])
  })
  test('what is no JSON after all', () => {
    for (const body of ['{"a":"a@x.com', '"a@x.com"', ']]]"a@x.com"', '{"a" "a@x.com\\', '{"a":{"b":1}}}}}"a@x.com"'])
      expect(['clean', 'changed']).toContain(guard(Buffer.from(body), pseudonymise).kind)
  })
})
