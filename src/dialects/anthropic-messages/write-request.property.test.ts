import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NeutralChat } from '../../llm/request.ts'
import { isObject, type Json, objectsIn } from '../json.ts'
import { openAiChat } from '../openai-chat/dialect.ts'
import { arbitraryRequest } from '../testing/requests.ts'
import { traitsOf } from './models.ts'
import { readMessagesRequest } from './read-request.ts'
import { writeMessagesRequest } from './write-request.ts'

const MODELS = ['claude-3-haiku-20240307', 'claude-sonnet-4-5', 'claude-opus-4-6', 'claude-opus-5-5', 'claude-fable-5']

/** What Anthropic would refuse of a body, first of all; undefined when nothing is known. */
function whatIsWrong(body: Json, model: string): string | undefined {
  const traits = traitsOf(model)
  const messages = objectsIn(body['messages'])
  if (messages[0]?.['role'] !== 'user') return 'the user does not begin'
  let calls: unknown[] = []
  for (const [i, message] of messages.entries()) {
    if (message['role'] === messages[i - 1]?.['role']) return 'turns do not alternate'
    const content = objectsIn(message['content'])
    if (content.length === 0) return 'a turn is empty'
    if (content.some(({ type, text }) => type === 'text' && String(text).trim() === '')) return 'blank text'
    const results = content.filter(({ type }) => type === 'tool_result').map((block) => block['tool_use_id'])
    if (content.slice(0, results.length).some(({ type }) => type !== 'tool_result')) return 'results do not come first'
    if (calls.some((id) => !results.includes(id))) return 'a call without its result'
    calls = content.filter(({ type }) => type === 'tool_use').map(({ id }) => id)
    if (calls.some((id) => !/^[\w-]+$/.test(String(id)))) return 'an id with other characters'
    if (content.some(({ type, input }) => type === 'tool_use' && !isObject(input))) return 'an input that is no object'
  }
  const last = objectsIn(messages.at(-1)?.['content']).at(-1)
  const text = last?.['text']
  if (messages.at(-1)?.['role'] === 'assistant' && typeof text === 'string' && /\s$/.test(text))
    return 'white space ends'
  if (!Number.isInteger(body['max_tokens'])) return 'no max_tokens'
  if (!traits.sampling && ['temperature', 'top_p', 'top_k'].some((name) => body[name] !== undefined)) return 'sampling'
  if (body['temperature'] !== undefined && body['top_p'] !== undefined) return 'temperature and top_p'
  const thinking = isObject(body['thinking']) ? body['thinking'] : undefined
  const thinks = thinking?.['type'] === 'enabled' || thinking?.['type'] === 'adaptive'
  if (thinks && body['temperature'] !== undefined) return 'temperature while thinking'
  if (thinking?.['type'] === 'enabled') {
    const budget = Number(thinking['budget_tokens'])
    if (budget < 1024 || budget >= Number(body['max_tokens'])) return 'a budget out of bounds'
  }
  const choice = isObject(body['tool_choice']) ? body['tool_choice']['type'] : undefined
  if (choice !== undefined && objectsIn(body['tools']).length === 0) return 'a choice without tools'
  if ((choice === 'any' || choice === 'tool') && (thinks || !traits.forcedTools)) return 'a forced tool'
  return undefined
}

test('whatever is asked in no dialect, no model of Anthropic has a known reason to refuse it', () => {
  fc.assert(
    fc.property(arbitraryRequest, fc.constantFrom(...MODELS), (request, model) => {
      const body = JSON.parse(writeMessagesRequest(request, { model, stream: true }).toString()) as Json
      expect(whatIsWrong(body, model)).toBeUndefined()
      expect(body).toMatchObject({ model, stream: true })
    }),
  )
})

test('what a chat client asks reaches Anthropic through both dialects, and says there what it said', () => {
  fc.assert(
    fc.property(arbitraryRequest, (request) => {
      const chat = openAiChat.writeRequest(request, { model: 'gpt-4o', stream: false })
      const neutral = openAiChat.read(chat).neutral()
      const bytes = writeMessagesRequest(neutral, { model: 'claude-opus-4-6', stream: false })
      const read = readMessagesRequest(bytes).neutral() as NeutralChat
      const said = (one: NeutralChat) =>
        one.messages
          .filter(({ role }) => role !== 'system')
          .flatMap(({ parts }) =>
            parts.map((part) => (part.kind === 'text' && part.text.trim() !== '' ? part.text : '')),
          )
          .filter(Boolean)
          .join('')
      const called = (one: NeutralChat) =>
        one.messages.flatMap(({ parts }) =>
          (parts as readonly { kind: string; id?: string; arguments?: string }[])
            .filter(({ kind }) => kind === 'tool-call')
            .map(({ id, arguments: json }) => [id, json]),
        )
      expect(said(read).trimEnd()).toBe(said(request).trimEnd())
      expect(called(read)).toEqual(called(request))
    }),
  )
})
