import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import type { NeutralChat } from '../../llm/request.ts'
import { readCountRequest, readMessagesRequest } from './read-request.ts'
import { upstreamBody } from './upstream-body.ts'
import { writeMessagesRequest } from './write-request.ts'

const ASK = { model: 'fast', max_tokens: 10, messages: [{ role: 'user', content: 'Hi' }] }
const read = (more: object) => readMessagesRequest(Buffer.from(JSON.stringify({ ...ASK, ...more })))
const neutral = (more: object) => read(more).neutral() as NeutralChat

test.each([
  [{ max_tokens: undefined }, 'max_tokens'],
  [{ max_tokens: -1 }, 'max_tokens'],
  [{ model: '' }, 'model'],
  [{ messages: [] }, 'messages'],
  [{ messages: [{ role: 'robot', content: 'Hi' }] }, 'messages.0.role'],
  [{ stream: 'yes' }, 'stream'],
  [{ temperature: 2 }, 'temperature'],
])('%j is refused by the name of the field', (more, field) => {
  expect(() => read(more)).toThrow(expect.objectContaining({ code: 'malformed', field }) as Error)
})

test('what the gateway decides by is read', () => {
  const ask = read({
    stream: true,
    temperature: 0.5,
    metadata: { user_id: 'u1' },
    tools: [{ name: 'a', input_schema: { type: 'object' } }],
    output_config: { format: { type: 'json_schema', schema: {} } },
    messages: [
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: [{ type: 'image' }] }] },
      { role: 'user', content: [{ type: 'document', source: { type: 'text', data: '12345' } }] },
    ],
  })
  expect(ask).toMatchObject({ stream: true, temperature: 0.5, user: 'u1', maxOutputTokens: 10, model: 'fast' })
  expect([...ask.demands].sort()).toEqual(['files', 'images', 'json-schema', 'tools'])
  expect(ask.promptCharacters()).toBeGreaterThan(5)
})

test('counting needs no limit, and demands that somebody can count', () => {
  const ask = readCountRequest(Buffer.from(JSON.stringify({ ...ASK, max_tokens: undefined })))
  expect([...ask.demands]).toEqual(['count-tokens'])
})

test('on its way up only the name of the model changes, and every other byte stays', () => {
  const body = Buffer.from(
    '{ "model" : "fast","max_tokens":10,\n "big": 12345678901234567890, "x":{"model":"no"}, "messages":[{"role":"user","content":"Hi"}] }',
  )
  const sent = upstreamBody(readMessagesRequest(body), { model: 'claude-opus-4-6', stream: false })
  expect(sent.toString()).toBe(body.toString().replace('"fast"', '"claude-opus-4-6"'))
})

test('a prefill is added behind the conversation, byte for byte otherwise', () => {
  const ask = read({})
  const sent = upstreamBody(ask, { model: 'm', stream: false, prefill: 'One, ' }).toString()
  expect((JSON.parse(sent) as typeof ASK).messages).toEqual([
    ...ASK.messages,
    { role: 'assistant', content: [{ type: 'text', text: 'One,' }] },
  ])
})

test('thinking of other providers is taken out of a conversation that Anthropic gets', () => {
  const thinking = (signature: string) => ({ type: 'thinking', thinking: 'Hm', signature })
  const text = { type: 'text', text: 'Yes, "signature":""' }
  const talk = (content: object[]) => [{ role: 'user', content: 'Hi' }, { role: 'assistant', content }, ...ASK.messages]
  const sent = (content: object[]) =>
    (
      JSON.parse(
        upstreamBody(read({ messages: talk(content) }), { model: 'm', stream: false }).toString(),
      ) as typeof ASK
    ).messages
  expect(sent([thinking('midwatch:gemini:x'), thinking(''), thinking('EvQ'), text])).toEqual(
    talk([thinking('EvQ'), text]),
  )
  expect(sent([thinking('')])).toEqual([{ role: 'user', content: 'Hi' }, ...ASK.messages])
})

test('in no dialect it says the same', () => {
  expect(
    neutral({
      system: [{ type: 'text', text: 'Be brief', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      tools: [
        { name: 'a', description: 'b', input_schema: { type: 'object', additionalProperties: false }, strict: true },
      ],
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
      stop_sequences: ['END'],
      thinking: { type: 'enabled', budget_tokens: 2000 },
      service_tier: 'standard_only',
      top_k: 4,
      messages: [
        { role: 'user', content: [{ type: 'image', source: { type: 'url', url: 'https://a/b' } }] },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm', signature: 'sig' },
            { type: 'server_tool_use', id: 's', name: 'web_search', input: { query: 'x' } },
            { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
            { type: 'tool_use', id: 't', name: 'a', input: { q: 1 } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: 'no', is_error: true }] },
      ],
    }),
  ).toEqual({
    kind: 'chat',
    messages: [
      { role: 'system', parts: [{ kind: 'text', text: 'Be brief', cache: { ttl: '1h' } }] },
      { role: 'user', parts: [{ kind: 'image', source: { kind: 'url', url: 'https://a/b' } }] },
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'Hm', signature: 'midwatch:anthropic:sig' },
          { kind: 'tool-call', id: 't', name: 'a', arguments: '{"q":1}' },
        ],
      },
      {
        role: 'user',
        parts: [{ kind: 'tool-result', callId: 't', parts: [{ kind: 'text', text: 'no' }], isError: true }],
      },
    ],
    tools: [{ name: 'a', description: 'b', parameters: { type: 'object', additionalProperties: false }, strict: true }],
    toolChoice: { kind: 'required' },
    parallelToolCalls: false,
    maxOutputTokens: 10,
    topK: 4,
    stop: ['END'],
    reasoning: { budgetTokens: 2000, visible: true },
    serviceTier: 'default',
  })
})

test('read and written again for the same model, a conversation is the same', () => {
  const messages = [
    { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 'sig' },
        { type: 'redacted_thinking', data: 'x' },
        { type: 'tool_use', id: 't', name: 'a', input: { q: 1 } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'r' }] }] },
  ]
  const tools = [{ name: 'a', input_schema: { type: 'object' } }]
  const again = writeMessagesRequest(neutral({ messages, tools }), { model: 'claude-sonnet-4-5', stream: false })
  expect(JSON.parse(again.toString())).toEqual({ ...ASK, model: 'claude-sonnet-4-5', messages, tools })
})

test.each([
  [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools.0'],
  [{ container: 'c' }, 'container'],
  [{ mcp_servers: [{}] }, 'mcp_servers'],
  [{ messages: [{ role: 'user', content: [{ type: 'container_upload', file_id: 'f' }] }] }, 'messages.0.content.0'],
  [
    { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
    'messages.0',
  ],
])('%j means something only to Anthropic, and is refused by name elsewhere', (more, field) => {
  const ask = read(more)
  try {
    ask.neutral()
    expect.fail('it was taken')
  } catch (error) {
    expect(error).toBeInstanceOf(AppError)
    expect((error as AppError).field).toContain(field)
  }
})

test('a hostile depth is no crash', () => {
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  const bytes = Buffer.from(
    `{"model":"fast","max_tokens":1,"messages":[{"role":"user","content":"Hi"}],"tools":[{"name":"a","input_schema":{"x":${deep}}}]}`,
  )
  const ask = readMessagesRequest(bytes)
  expect(ask.promptCharacters()).toBeGreaterThan(5000)
  expect(upstreamBody(ask, { model: 'm', stream: false }).length).toBe(bytes.length - 3)
})
