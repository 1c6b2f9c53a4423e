import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SseSplitter } from '../../core/sse.ts'
import { ChatReader } from './reader.ts'

const reader = (): ChatReader => new ChatReader({ decode: false, choices: 1 })

const eventOf = (json: string) => {
  const [event] = new SseSplitter().push(Buffer.from(`data: ${json}\n\n`))
  if (!event) throw new Error('no event')
  return event
}

/** Texts that JSON writes otherwise than they are, and such as look like the rest of a chunk. */
const content = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom(
    '',
    ' word',
    '"',
    '\\',
    '"},"x":"',
    '"content":"',
    '\\"content\\":\\"',
    '\n',
    '\u2028',
    '漢',
    '😀',
    '\ud800',
  ),
)
const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' }
const chunk = fc.oneof(
  {
    weight: 6,
    arbitrary: content.map((text) => ({
      ...base,
      choices: [{ index: 0, delta: { content: text }, finish_reason: null }],
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(content, content).map(([text, other]) => ({
      ...base,
      choices: [{ index: 0, delta: { content: text, reasoning_content: other } }],
      note: { content: other },
    })),
  },
  {
    weight: 1,
    arbitrary: content.map((text) => ({ ...base, model: 'n', choices: [{ index: 1, delta: { content: text } }] })),
  },
  {
    weight: 1,
    arbitrary: content.map((text) => ({
      ...base,
      choices: [{ index: 0, delta: { content: text } }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    })),
  },
  {
    weight: 1,
    arbitrary: content.map((text) => ({ ...base, choices: [{ index: 0, delta: { role: text, content: 'x' } }] })),
  },
)
/** As JSON.stringify writes it, with spaces as Python does, and with all of Unicode escaped. */
const written = fc.tuple(chunk, fc.constantFrom('tight', 'spaced', 'ascii')).map(([value, style]) => {
  const json = JSON.stringify(value)
  if (style === 'spaced') return json.replaceAll('":', '": ')
  return style === 'ascii'
    ? json.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : json
})

test('what is told of a chunk is the same whatever chunks came before it', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 30 }), (stream) => {
      const one = reader()
      for (const json of stream) expect(one.see(eventOf(json))).toEqual(reader().see(eventOf(json)))
    }),
    { numRuns: 300 },
  )
})

test('an end, a usage and a fault are seen behind many chunks that were alike', () => {
  const one = reader()
  const say = (delta: object, rest: object = {}) =>
    one.see(eventOf(JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason: null, ...rest }] })))
  for (let i = 0; i < 20; i++)
    expect(say({ content: ` word ${i}` })).toMatchObject({ kind: 'content', complete: false })
  expect(say({ content: ' last' }, { finish_reason: 'stop' }).complete).toBe(true)
  expect(() => one.see(eventOf('{"error":{"message":"overloaded"}}'))).toThrow()
})
