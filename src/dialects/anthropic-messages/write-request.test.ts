import type Anthropic from '@anthropic-ai/sdk'
import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import type { Message, NeutralChat } from '../../llm/request.ts'
import { markProof } from '../proof.ts'
import { writeMessagesRequest } from './write-request.ts'

const HI: Message = { role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }
const says = (role: 'system' | 'user' | 'assistant', text: string): Message => ({
  role,
  parts: [{ kind: 'text', text }],
})

type Body = Anthropic.MessageCreateParams

function write(given: Partial<NeutralChat>, model = 'claude-sonnet-4-5', prefill?: string): Body {
  const request: NeutralChat = { kind: 'chat', messages: [HI], tools: [], ...given }
  return JSON.parse(writeMessagesRequest(request, { model, stream: false, prefill }).toString()) as Body
}

const TOOL = { name: 'search', description: 'Finds', parameters: { type: 'object', properties: {} } } as const

test('where the caller set no limit, the model’s own is asked for', () => {
  expect(write({}).max_tokens).toBe(64_000)
  expect(write({}, 'claude-opus-4-1-20250805').max_tokens).toBe(32_000)
  expect(write({}, 'claude-3-haiku-20240307').max_tokens).toBe(4096)
  expect(write({}, 'claude-opus-9').max_tokens).toBe(128_000)
  expect(write({ maxOutputTokens: 7 }).max_tokens).toBe(7)
})

test('what the system says stands apart wherever it was said, and turns alternate', () => {
  const body = write({
    messages: [
      says('system', 'A'),
      says('user', 'one'),
      says('user', 'two'),
      says('system', 'B'),
      says('user', 'three'),
    ],
  })
  expect(body.system).toEqual([
    { type: 'text', text: 'A' },
    { type: 'text', text: 'B' },
  ])
  expect(body.messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'text', text: 'one' },
        { type: 'text', text: 'two' },
        { type: 'text', text: 'three' },
      ],
    },
  ])
})

test('results of parallel calls come first, in one turn behind their calls', () => {
  const { messages } = write({
    tools: [TOOL],
    messages: [
      HI,
      {
        role: 'assistant',
        parts: [
          { kind: 'tool-call', id: 'call_1', name: 'search', arguments: '{"q":1}' },
          { kind: 'tool-call', id: 'functions.search:2', name: 'search', arguments: '' },
        ],
      },
      { role: 'user', parts: [{ kind: 'text', text: 'Hurry' }] },
      { role: 'user', parts: [{ kind: 'tool-result', callId: 'call_1', parts: [{ kind: 'text', text: 'found' }] }] },
      { role: 'user', parts: [{ kind: 'tool-result', callId: 'functions.search:2', parts: [], isError: true }] },
    ],
  })
  expect(messages.slice(1)).toEqual([
    {
      role: 'assistant',
      content: [
        { type: 'tool_use', id: 'call_1', name: 'search', input: { q: 1 } },
        { type: 'tool_use', id: 'functions_search_2', name: 'search', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'found' }] },
        { type: 'tool_result', tool_use_id: 'functions_search_2', content: [], is_error: true },
        { type: 'text', text: 'Hurry' },
      ],
    },
  ])
})

test('arguments that are no JSON object reach the model and are not dropped', () => {
  const call = (args: string): Message => ({
    role: 'assistant',
    parts: [{ kind: 'tool-call', id: 'c', name: 'search', arguments: args }],
  })
  const input = (args: string) => write({ messages: [HI, call(args), HI] }).messages[1]?.content
  expect(input('{"q": "half')).toMatchObject([{ input: { arguments: '{"q": "half' } }])
  expect(input('[1]')).toMatchObject([{ input: { arguments: [1] } }])
})

test('a conversation that the assistant begins, or in which only the system speaks, has a user all the same', () => {
  expect(write({ messages: [says('assistant', 'Hello!'), HI] }).messages[0]?.role).toBe('user')
  expect(write({ messages: [says('system', 'Write a poem')] })).toMatchObject({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Write a poem' }] }],
  })
  expect(() => write({ messages: [says('user', '  ')] })).toThrow(AppError)
})

test('blank text is left out, for Anthropic refuses it', () => {
  expect(write({ messages: [says('user', ' '), says('assistant', ''), HI] }).messages).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
  ])
})

test('reasoning goes back only to whom it came from', () => {
  const { messages } = write({
    messages: [
      HI,
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'unsigned' },
          { kind: 'reasoning', text: 'foreign', signature: markProof('gemini', 'x') },
          { kind: 'reasoning', text: '', encrypted: 'gAAAAA' },
          { kind: 'reasoning', text: 'mine', signature: markProof('anthropic', 'sig') },
          { kind: 'reasoning', text: '', encrypted: markProof('anthropic', 'secret') },
          { kind: 'text', text: 'Yes' },
        ],
      },
      HI,
    ],
  })
  expect(messages[1]?.content).toEqual([
    { type: 'thinking', thinking: 'mine', signature: 'sig' },
    { type: 'redacted_thinking', data: 'secret' },
    { type: 'text', text: 'Yes' },
  ])
})

test('images, files and cache marks', () => {
  const { messages } = write({
    messages: [
      {
        role: 'user',
        parts: [
          { kind: 'image', source: { kind: 'url', url: 'https://a/b.png' }, cache: { ttl: '1h' } },
          { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
          { kind: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' }, name: 'a.pdf' },
          { kind: 'file', source: { kind: 'base64', mediaType: 'text/csv', data: 'YSxi' }, cache: { ttl: '5m' } },
        ],
      },
    ],
  })
  expect(messages[0]?.content).toEqual([
    { type: 'image', source: { type: 'url', url: 'https://a/b.png' }, cache_control: { type: 'ephemeral', ttl: '1h' } },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
    { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' }, title: 'a.pdf' },
    {
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: 'a,b' },
      cache_control: { type: 'ephemeral' },
    },
  ])
  const uploaded: Message = { role: 'user', parts: [{ kind: 'file', source: { kind: 'id', id: 'file-1' } }] }
  expect(() => write({ messages: [uploaded] })).toThrow(/uploaded/)
})

test('the choice of tools, and one call at a time', () => {
  const choose = (given: Partial<NeutralChat>, model?: string) => write({ tools: [TOOL], ...given }, model).tool_choice
  expect(choose({})).toBeUndefined()
  expect(choose({ toolChoice: { kind: 'required' } })).toEqual({ type: 'any' })
  expect(choose({ toolChoice: { kind: 'none' } })).toEqual({ type: 'none' })
  expect(choose({ toolChoice: { kind: 'tool', name: 'search' }, parallelToolCalls: false })).toEqual({
    type: 'tool',
    name: 'search',
    disable_parallel_tool_use: true,
  })
  expect(choose({ parallelToolCalls: false })).toEqual({ type: 'auto', disable_parallel_tool_use: true })
})

test('a model that cannot be forced to call a tool is told to', () => {
  expect(write({ tools: [TOOL], toolChoice: { kind: 'tool', name: 'search' } }, 'claude-opus-5-5')).toMatchObject({
    tool_choice: { type: 'auto' },
    system: [{ text: 'Answer by calling the tool search.' }],
  })
})

test('tools that were called are defined also when there are none any more', () => {
  const called: Message = { role: 'assistant', parts: [{ kind: 'tool-call', id: 'c', name: 'old', arguments: '{}' }] }
  const result: Message = { role: 'user', parts: [{ kind: 'tool-result', callId: 'c', parts: [] }] }
  expect(write({ messages: [HI, called, result] })).toMatchObject({
    tools: [{ name: 'old', input_schema: { type: 'object' } }],
    tool_choice: { type: 'none' },
  })
})

test('sampling parameters go only to models that take them, and within what they take', () => {
  expect(write({ temperature: 1.8, topP: 0.5, topK: 3 })).toMatchObject({ temperature: 1, top_k: 3 })
  expect(write({ temperature: 1.8, topP: 0.5 })).not.toHaveProperty('top_p')
  expect(write({ temperature: 0.2, topP: 0.5, topK: 3 }, 'claude-opus-4-7')).not.toHaveProperty('temperature')
})

test('a JSON schema constrains the answer where the model can be constrained, else it is asked for', () => {
  const output = {
    kind: 'schema',
    name: 'a',
    schema: {
      type: 'object',
      properties: { n: { type: 'integer', minimum: 1, description: 'Many' }, o: { oneOf: [{ type: 'null' }] } },
    },
  } as const
  expect(write({ output }).output_config?.format).toEqual({
    type: 'json_schema',
    schema: {
      type: 'object',
      properties: { n: { type: 'integer', description: 'Many (minimum: 1)' }, o: { anyOf: [{ type: 'null' }] } },
      additionalProperties: false,
    },
  })
  const old = write({ output }, 'claude-3-haiku-20240307')
  expect(old).not.toHaveProperty('output_config')
  expect(JSON.stringify(old.system)).toContain('minimum')
})

test('stop sequences of white space are refused by name; others are passed', () => {
  expect(write({ stop: ['END'] }).stop_sequences).toEqual(['END'])
  expect(() => write({ stop: ['\n'] })).toThrow(expect.objectContaining({ code: 'malformed', field: 'stop' }) as Error)
})

test('thinking: an effort where the model takes one, else tokens that leave room for the answer', () => {
  expect(write({ reasoning: { effort: 'high' }, temperature: 0 })).toMatchObject({
    thinking: { type: 'enabled', budget_tokens: 16_384 },
  })
  expect(write({ reasoning: { effort: 'high' }, temperature: 0 })).not.toHaveProperty('temperature')
  expect(write({ reasoning: { effort: 'high' }, maxOutputTokens: 4096 })).toMatchObject({
    thinking: { budget_tokens: 3072 },
  })
  expect(write({ reasoning: { effort: 'high' }, maxOutputTokens: 1500 })).not.toHaveProperty('thinking')
  expect(write({ reasoning: { effort: 'minimal', visible: true } }, 'claude-opus-4-6')).toMatchObject({
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: { effort: 'low' },
  })
  expect(write({ reasoning: { effort: 'none' } }, 'claude-opus-5')).toMatchObject({ thinking: { type: 'disabled' } })
  expect(write({ reasoning: { effort: 'none' } }, 'claude-fable-5')).toMatchObject({ output_config: { effort: 'low' } })
  expect(write({ reasoning: { effort: 'none' } })).not.toHaveProperty('thinking')
})

test('a model in the middle of calls it made without signed thinking is not asked to think', () => {
  const called: Message = {
    role: 'assistant',
    parts: [{ kind: 'tool-call', id: 'c', name: 'search', arguments: '{}' }],
  }
  const result: Message = { role: 'user', parts: [{ kind: 'tool-result', callId: 'c', parts: [] }] }
  const given = { messages: [HI, called, result], tools: [TOOL], reasoning: { effort: 'high' } } as const
  expect(write(given)).not.toHaveProperty('thinking')
  expect(write(given, 'claude-opus-4-6')).toMatchObject({ thinking: { type: 'adaptive' } })
  const forced = { tools: [TOOL], toolChoice: { kind: 'required' }, reasoning: { effort: 'high' } } as const
  expect(write(forced)).not.toHaveProperty('thinking')
})

test('a prefill is the last word, without white space at its end', () => {
  expect(write({}, 'claude-sonnet-4-5', 'One, two, ').messages.at(-1)).toEqual({
    role: 'assistant',
    content: [{ type: 'text', text: 'One, two,' }],
  })
})
