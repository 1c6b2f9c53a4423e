import { expect, test } from 'vitest'
import type { Message, UserPart } from '../llm/request.ts'
import { resultsBehindCalls } from './tool-results.ts'

const calls = (...ids: string[]): Message => ({
  role: 'assistant',
  parts: ids.map((id) => ({ kind: 'tool-call', id, name: 'f', arguments: '{}' })),
})
const result = (callId: string): UserPart => ({ kind: 'tool-result', callId, parts: [] })
const text = (text: string): UserPart => ({ kind: 'text', text })
const user = (...parts: UserPart[]): Message => ({ role: 'user', parts })
const note: Message = { role: 'system', parts: [{ kind: 'text', text: 'note' }] }

test('results that are in their place stay, without a copy', () => {
  const messages = [note, user(text('x')), calls('a', 'b'), user(result('a'), result('b')), note, user(text('y'))]
  expect(resultsBehindCalls(messages)).toBe(messages)
})

test('what stands between calls and their results follows behind, and nothing is lost', () => {
  expect(
    resultsBehindCalls([
      user(text('x')),
      calls('a', 'b'),
      note,
      user(result('a'), text('and')),
      user(text('wait')),
      user(result('b')),
      calls('c'),
      user(result('c')),
    ]),
  ).toEqual([
    user(text('x')),
    calls('a', 'b'),
    user(result('a'), result('b')),
    note,
    user(text('and')),
    user(text('wait')),
    calls('c'),
    user(result('c')),
  ])
})
