import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import type { NeutralChat } from '../../llm/request.ts'
import { arbitraryRequest } from '../testing/requests.ts'
import { openAiResponses } from './dialect.ts'

const ask = (body: Record<string, unknown>) =>
  openAiResponses.read(Buffer.from(JSON.stringify({ model: 'm', input: 'Hello', ...body })))
const read = (body: Record<string, unknown>) => ask(body).neutral() as NeutralChat
const written = (request: NeutralChat, model = 'qwen', stream = false) =>
  JSON.parse(openAiResponses.writeRequest(request, { model, stream }).toString()) as Record<string, unknown>
const refused = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError && error.code === 'malformed') return error.field ?? ''
    throw error
  }
  return 'not refused'
}
const REQUEST: NeutralChat = {
  kind: 'chat',
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
  tools: [],
}

test('any request survives being written and read again', () => {
  fc.assert(
    fc.property(arbitraryRequest, (request) => {
      const { maxOutputTokens } = request
      const again = read(written(request))
      expect(again).toEqual(
        maxOutputTokens === undefined ? request : { ...request, maxOutputTokens: Math.max(16, maxOutputTokens) },
      )
    }),
  )
})

test('everything that a request says is read', () => {
  const request = read({
    instructions: 'Be brief.',
    input: [
      { role: 'developer', content: 'And kind.' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'See' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
          { type: 'input_file', file_data: 'data:application/pdf;base64,BBBB', filename: 'a.pdf' },
          { type: 'input_file', file_url: 'https://example.com/a.pdf' },
          { type: 'input_file', file_id: 'file-1' },
        ],
      },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'gAAAA' },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'Look', annotations: [] }],
      },
      { type: 'function_call', id: 'fc_1', call_id: 'a', name: 'f', arguments: '' },
      { type: 'function_call', call_id: 'b', name: 'g', arguments: '{"x":1}' },
      { type: 'function_call_output', call_id: 'a', output: '1' },
      { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_text', text: '2' }] },
      {
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'So' }],
        encrypted_content: 'midwatch:signed:anthropic:s',
      },
      { type: 'reasoning', summary: [], encrypted_content: 'midwatch:anthropic:e' },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No' }] },
    ],
    tools: [{ type: 'function', name: 'f', description: 'does', parameters: { type: 'object' }, strict: true }],
    tool_choice: { type: 'function', name: 'f' },
    parallel_tool_calls: false,
    text: { format: { type: 'json_schema', name: 'out', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
    reasoning: { effort: 'high', summary: 'auto' },
    max_output_tokens: 99,
    temperature: 0.5,
    top_p: 0.5,
    user: 'ann',
    metadata: { a: 'b' },
    service_tier: 'flex',
    store: false,
    include: ['reasoning.encrypted_content'],
    previous_response_id: null,
  })
  expect(request).toEqual({
    kind: 'chat',
    messages: [
      { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] },
      { role: 'system', parts: [{ kind: 'text', text: 'And kind.' }] },
      {
        role: 'user',
        parts: [
          { kind: 'text', text: 'See' },
          { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'low' },
          { kind: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'BBBB' }, name: 'a.pdf' },
          { kind: 'file', source: { kind: 'url', url: 'https://example.com/a.pdf' } },
          { kind: 'file', source: { kind: 'id', id: 'file-1' } },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'Hm', encrypted: 'midwatch:openai:gAAAA' },
          { kind: 'text', text: 'Look' },
          { kind: 'tool-call', id: 'a', name: 'f', arguments: '{}' },
          { kind: 'tool-call', id: 'b', name: 'g', arguments: '{"x":1}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { kind: 'tool-result', callId: 'a', parts: [{ kind: 'text', text: '1' }] },
          { kind: 'tool-result', callId: 'b', parts: [{ kind: 'text', text: '2' }] },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'So', signature: 'midwatch:anthropic:s' },
          { kind: 'reasoning', text: '', encrypted: 'midwatch:anthropic:e' },
          { kind: 'refusal', text: 'No' },
        ],
      },
    ],
    tools: [{ name: 'f', description: 'does', parameters: { type: 'object' }, strict: true }],
    toolChoice: { kind: 'tool', name: 'f' },
    parallelToolCalls: false,
    output: { kind: 'schema', name: 'out', schema: { type: 'object' }, strict: true },
    reasoning: { effort: 'high', visible: true },
    maxOutputTokens: 99,
    temperature: 0.5,
    topP: 0.5,
    user: 'ann',
    metadata: { a: 'b' },
    serviceTier: 'flex',
  })
})

test.each([
  ['previous_response_id', { previous_response_id: 'resp_1' }],
  ['conversation', { conversation: 'conv_1' }],
  ['prompt', { prompt: { id: 'pmpt_1' } }],
  ['store', { store: true }],
  ['tools.0.type', { tools: [{ type: 'web_search' }] }],
  ['tools.0.type', { tools: [{ type: 'custom', name: 'f' }] }],
  ['input.0.type', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ['input.0.type', { input: [{ type: 'web_search_call', id: 'ws_1' }] }],
  ['input.0.content.0.type', { input: [{ role: 'user', content: [{ type: 'input_video' }] }] }],
  ['input.0.content.0.image_url', { input: [{ role: 'user', content: [{ type: 'input_image', file_id: 'file-1' }] }] }],
  ['input.0.content.0', { input: [{ role: 'user', content: [{ type: 'input_file' }] }] }],
  ['input.0.content.0', { input: [{ role: 'system', content: [{ type: 'input_file', file_id: 'a' }] }] }],
  ['input.0.call_id', { input: [{ type: 'function_call_output', output: '1' }] }],
  ['text.format.type', { text: { format: { type: 'xml' } } }],
  ['tool_choice', { tool_choice: { type: 'web_search' } }],
  ['top_logprobs', { top_logprobs: 2 }],
  ['include.0', { include: ['message.output_text.logprobs'] }],
])('what only a provider with Responses can do is refused elsewhere by its name: %s', (field, body) => {
  expect(refused(() => read(body))).toBe(field)
})

test('a request that could only be answered later is refused at the door', () => {
  expect(refused(() => ask({ background: true }))).toBe('background')
})

test('what the gateway decides by is read, and nothing else is asked of a request that passes', () => {
  const parts = [
    { type: 'input_image', image_url: 'x' },
    { type: 'input_file', file_id: 'y' },
    { type: 'input_text', text: 'four' },
  ]
  const one = ask({
    stream: true,
    input: [{ role: 'user', content: parts }, { type: 'unheard_of' }],
    instructions: 'six ch',
    tools: [{ type: 'web_search' }],
    text: { format: { type: 'json_schema' } },
    top_logprobs: 3,
    max_output_tokens: 9,
    temperature: 0.5,
    safety_identifier: 'ann',
  })
  expect(one).toMatchObject({
    model: 'm',
    stream: true,
    wantsUsage: true,
    choices: 1,
    maxOutputTokens: 9,
    temperature: 0.5,
    user: 'ann',
    demands: new Set(['tools', 'json-schema', 'logprobs', 'own-kind', 'images', 'files']),
  })
  expect(one.promptCharacters()).toBe('four'.length + 'six ch'.length + '[{"type":"web_search"}]'.length)
})

test('on its way up only the model changes, and what other providers proved is taken out', () => {
  const up = (text: string) =>
    openAiResponses.upstreamBody(openAiResponses.read(Buffer.from(text)), { model: 'gpt', stream: true }).toString()
  expect(up('{"model": "m",  "input":"x", "top_p":0.10, "stream":true}')).toBe(
    '{"model": "gpt",  "input":"x", "top_p":0.10, "stream":true}',
  )
  expect(
    up(
      '{"model":"m", "input": [{"type":"reasoning","summary":[],"encrypted_content":"midwatch:gemini:x"},{"type":"reasoning","summary":[],"encrypted_content":"gAA"}], "store":false}',
    ),
  ).toBe('{"model":"gpt", "input": [{"type":"reasoning","summary":[],"encrypted_content":"gAA"}], "store":false}')
})

test('reasoning goes back to OpenAI only with its proof', () => {
  const request: NeutralChat = {
    ...REQUEST,
    messages: [
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'Hm', encrypted: 'midwatch:openai:gAAAA' },
          { kind: 'reasoning', text: 'So', signature: 'midwatch:anthropic:s' },
          { kind: 'text', text: 'Hi' },
        ],
      },
    ],
  }
  expect(written(request)['input']).toEqual([
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'gAAAA' },
    { role: 'assistant', content: 'Hi' },
  ])
})

test('nothing is kept at the provider, and a model that reasons hands its reasoning over', () => {
  expect(written(REQUEST, 'gpt-4o', true)).toEqual({
    model: 'gpt-4o',
    stream: true,
    store: false,
    input: [{ role: 'user', content: 'Hi' }],
  })
  expect(written({ ...REQUEST, temperature: 0.5, reasoning: { effort: 'low', visible: true } }, 'gpt-5')).toMatchObject(
    {
      include: ['reasoning.encrypted_content'],
      reasoning: { effort: 'low', summary: 'auto' },
    },
  )
  expect(written({ ...REQUEST, temperature: 0.5 }, 'gpt-5')).not.toHaveProperty('temperature')
})

test('what Responses has no word for is refused where it would change the answer', () => {
  expect(refused(() => written({ ...REQUEST, stop: ['END'] }))).toBe('stop')
  expect(refused(() => written({ ...REQUEST, choices: 2 }))).toBe('n')
})

test('tools of another dialect are not made strict', () => {
  const tools = [{ name: 'f', parameters: { type: 'object' } }]
  expect(written({ ...REQUEST, tools })['tools']).toMatchObject([{ strict: false }])
})
