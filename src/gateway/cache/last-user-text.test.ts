import { expect, test } from 'vitest'
import type { DialectName } from '../../llm/dialect.ts'
import { findLastUserText } from './last-user-text.ts'
import { RequestKey } from './request-key.ts'
import { askOf } from './testing/ask.ts'

const keyOf = (body: string, dialect: DialectName = 'openai-chat') =>
  new RequestKey(askOf(body, { dialect }), { tenant: 'a', variant: '' })
const find = (body: object | string, dialect: DialectName = 'openai-chat') => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const found = findLastUserText(keyOf(text, dialect))
  return found && { text: found.text, raw: Buffer.from(text).toString('utf8', found.start, found.end) }
}
const user = (content: unknown) => ({ role: 'user', content })

test('the text of the last user’s message is found wherever it stands', () => {
  const raw = '"H\\u00e9 \\"you\\" 🌊"'
  const text = 'Hé "you" 🌊'
  expect(
    find(`{"n":1, "messages" : [ {"role":"user","content":"before"},{"content": ${raw} ,"role":"user"} ]}`),
  ).toEqual({
    text,
    raw,
  })
  expect(
    find({
      messages: [user('one'), { role: 'assistant', content: 'x' }, user('two'), { role: 'assistant', content: 'y' }],
    })?.text,
  ).toBe('two')
  expect(find({ messages: [user([{ type: 'image_url' }, { type: 'text', text: 'what is it?' }])] })?.text).toBe(
    'what is it?',
  )
  expect(find({ input: 'a prompt' }, 'openai-responses')?.text).toBe('a prompt')
  expect(find({ input: [user([{ type: 'input_text', text: 'a part' }])] }, 'openai-responses')?.text).toBe('a part')
  expect(find({ messages: [user('hello')] }, 'anthropic-messages')?.text).toBe('hello')
})

test.each([
  ['no user speaks', { messages: [{ role: 'system', content: 'x' }] }],
  [
    'there are two texts',
    {
      messages: [
        user([
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ]),
      ],
    },
  ],
  ['there is no text', { messages: [user([{ type: 'image_url' }])] }],
  ['the content is none', { messages: [user(null)] }],
  ['the messages are none', { messages: 7 }],
  ['a message is none', { messages: ['x', 1, null] }],
  ['the messages are given twice', '{"messages":[{"role":"user","content":"a"}],"messages":[]}'],
  ['the content is given twice', '{"messages":[{"role":"user","content":"a","content":"b"}]}'],
])('nothing is found where %s', (_name, body) => {
  expect(find(body)).toBeUndefined()
})

test('everything around the text still counts', () => {
  const around = (before: string, text: string, more = '') => {
    const key = keyOf(
      `{"messages":[{"role":"system","content":"${before}"},{"role":"user","content":"${text}"}]${more}}`,
    )
    const found = findLastUserText(key)
    return found && key.around(found)
  }
  expect(around('Be brief.', 'one')).toBe(around('Be brief.', 'quite another'))
  expect(around('Be brief.', 'one')).not.toBe(around('Be long.', 'one'))
  expect(around('Be brief.', 'one')).not.toBe(around('Be brief.', 'one', ',"seed":1'))
})
