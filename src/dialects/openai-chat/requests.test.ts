import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import type { NeutralChat } from '../../llm/request.ts'
import { arbitraryRequest } from '../testing/requests.ts'
import { openAiChat } from './dialect.ts'
import { writeChatRequest } from './write-request.ts'

const HELLO = { messages: [{ role: 'user', content: 'Hello' }] }
const read = (body: Record<string, unknown>) =>
  openAiChat.read(Buffer.from(JSON.stringify({ model: 'm', ...HELLO, ...body }))).neutral() as NeutralChat
const written = (request: NeutralChat, model = 'qwen', stream = false) =>
  JSON.parse(writeChatRequest(request, { model, stream }).toString()) as Record<string, unknown>
const refused = (body: Record<string, unknown>): string => {
  try {
    read(body)
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
      expect(read(written(request, 'gpt-4o'))).toEqual(request)
    }),
  )
})

test('everything that a request says is read', () => {
  const request = read({
    messages: [
      {
        role: 'developer',
        content: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'See' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,BBBB', filename: 'a.pdf' } },
          { type: 'file', file: { file_data: 'CCCC', filename: 'a.csv' } },
          { type: 'file', file: { file_id: 'file-1' } },
          { type: 'input_audio', input_audio: { data: 'DDDD', format: 'wav' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        reasoning_content: 'Two at once',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
          { id: 'b', type: 'function', function: { name: 'g', arguments: '' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: '1' },
      { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: '2' }] },
      { role: 'system', content: 'Now finish.' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Done' },
          { type: 'refusal', refusal: 'or not' },
        ],
      },
    ],
    tools: [
      { type: 'function', function: { name: 'f', description: 'does', parameters: { type: 'object' }, strict: true } },
      { type: 'function', function: { name: 'g' } },
    ],
    tool_choice: { type: 'function', function: { name: 'f' } },
    parallel_tool_calls: false,
    response_format: { type: 'json_schema', json_schema: { name: 'out', schema: { type: 'object' }, strict: true } },
    max_tokens: 5,
    max_completion_tokens: 7,
    temperature: 1.5,
    top_p: 0.5,
    top_k: 40,
    stop: 'END',
    seed: 1,
    frequency_penalty: 0.1,
    presence_penalty: 0.2,
    reasoning_effort: 'high',
    n: 2,
    user: 'ann',
    metadata: { a: 'b' },
    service_tier: 'flex',
    logprobs: false,
    logit_bias: {},
    functions: null,
    some_hint: 1,
  })
  expect(request).toEqual({
    kind: 'chat',
    messages: [
      { role: 'system', parts: [{ kind: 'text', text: 'Be brief.', cache: { ttl: '1h' } }] },
      {
        role: 'user',
        name: 'ann',
        parts: [
          { kind: 'text', text: 'See' },
          { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' }, detail: 'low' },
          { kind: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } },
          { kind: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'BBBB' }, name: 'a.pdf' },
          { kind: 'file', source: { kind: 'base64', mediaType: 'text/csv', data: 'CCCC' }, name: 'a.csv' },
          { kind: 'file', source: { kind: 'id', id: 'file-1' } },
          { kind: 'audio', format: 'wav', data: 'DDDD' },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'Two at once' },
          { kind: 'tool-call', id: 'a', name: 'f', arguments: '{"x":1}' },
          { kind: 'tool-call', id: 'b', name: 'g', arguments: '{}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { kind: 'tool-result', callId: 'a', parts: [{ kind: 'text', text: '1' }] },
          { kind: 'tool-result', callId: 'b', parts: [{ kind: 'text', text: '2' }] },
        ],
      },
      { role: 'system', parts: [{ kind: 'text', text: 'Now finish.' }] },
      {
        role: 'assistant',
        parts: [
          { kind: 'text', text: 'Done' },
          { kind: 'refusal', text: 'or not' },
        ],
      },
    ],
    tools: [
      { name: 'f', description: 'does', parameters: { type: 'object' }, strict: true },
      { name: 'g', parameters: { type: 'object', properties: {} } },
    ],
    toolChoice: { kind: 'tool', name: 'f' },
    parallelToolCalls: false,
    output: { kind: 'schema', name: 'out', schema: { type: 'object' }, strict: true },
    maxOutputTokens: 7,
    temperature: 1.5,
    topP: 0.5,
    topK: 40,
    stop: ['END'],
    seed: 1,
    frequencyPenalty: 0.1,
    presencePenalty: 0.2,
    reasoning: { effort: 'high' },
    choices: 2,
    user: 'ann',
    metadata: { a: 'b' },
    serviceTier: 'flex',
  })
})

test('a choice among some of the tools leaves only those', () => {
  const tool = (name: string) => ({ type: 'function', function: { name } })
  const request = read({
    tools: [tool('f'), tool('g')],
    tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('g')] } },
  })
  expect(request).toMatchObject({ tools: [{ name: 'g' }], toolChoice: { kind: 'required' } })
})

test.each([
  ['messages.0.role', { messages: [{ role: 'function', name: 'f', content: '1' }] }],
  ['messages.0.content', { messages: [{ role: 'user', content: 7 }] }],
  ['messages.0.content.0.type', { messages: [{ role: 'user', content: [{ type: 'video' }] }] }],
  ['messages.0.content.0.text', { messages: [{ role: 'user', content: [{ type: 'text' }] }] }],
  [
    'messages.0.content.0.image_url.url',
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///x' } }] }] },
  ],
  ['messages.0.content.0.file', { messages: [{ role: 'user', content: [{ type: 'file', file: {} }] }] }],
  ['messages.0.tool_call_id', { messages: [{ role: 'tool', content: '1' }] }],
  [
    'messages.0.tool_calls.0.function.name',
    { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: {} }] }] },
  ],
  [
    'messages.0.function_call',
    { messages: [{ role: 'assistant', content: null, function_call: { name: 'f', arguments: '' } }] },
  ],
  ['functions', { functions: [{ name: 'f' }] }],
  ['function_call', { function_call: 'auto' }],
  ['tools.0.type', { tools: [{ type: 'custom', custom: { name: 'f' } }] }],
  ['tools.0.function.name', { tools: [{ type: 'function', function: {} }] }],
  ['tool_choice', { tool_choice: 'sometimes' }],
  ['response_format.type', { response_format: { type: 'xml' } }],
  ['modalities.1', { modalities: ['text', 'audio'] }],
  ['logprobs', { logprobs: true }],
  ['logit_bias.50256', { logit_bias: { 50256: -100 } }],
  ['web_search_options', { web_search_options: {} }],
  ['stop', { stop: 7 }],
  ['reasoning_effort', { reasoning_effort: 'utmost' }],
])('what cannot be translated is refused by its name: %s', (field, body) => {
  expect(refused(body)).toBe(field)
})

test('a limit of tokens has the name that its server takes', () => {
  const limit = { ...REQUEST, maxOutputTokens: 9 }
  for (const model of ['o3', 'o4-mini', 'gpt-5', 'gpt-5.2-codex', 'openai/gpt-5-nano']) {
    expect(written(limit, model), model).toMatchObject({ max_completion_tokens: 9 })
    expect(written(limit, model), model).not.toHaveProperty('max_tokens')
  }
  for (const model of ['gpt-4o', 'gpt-5-chat-latest', 'openai/gpt-oss-120b', 'mistral-large', 'Qwen/Qwen3-32B']) {
    expect(written(limit, model), model).toMatchObject({ max_tokens: 9 })
    expect(written(limit, model), model).not.toHaveProperty('max_completion_tokens')
  }
  expect(
    JSON.parse(writeChatRequest(limit, { model: 'mine', stream: false }, 'max_completion_tokens').toString()),
  ).toEqual({
    model: 'mine',
    messages: [{ role: 'user', content: 'Hi' }],
    max_completion_tokens: 9,
  })
})

test('what tunes an answer is not said to a model that would refuse it', () => {
  const tuned = { ...REQUEST, temperature: 0.5, topP: 0.5, topK: 9, reasoning: { effort: 'xhigh' as const } }
  expect(written(tuned, 'gpt-5.2')).toEqual({
    model: 'gpt-5.2',
    messages: expect.anything() as unknown,
    reasoning_effort: 'xhigh',
  })
  expect(written({ ...tuned, reasoning: { effort: 'none' } }, 'gpt-5.2')).toMatchObject({
    reasoning_effort: 'none',
    temperature: 0.5,
  })
  expect(written(tuned, 'gpt-4o')).toEqual({
    model: 'gpt-4o',
    messages: expect.anything() as unknown,
    temperature: 0.5,
    top_p: 0.5,
  })
  expect(written(tuned, 'qwen')).toMatchObject({ reasoning_effort: 'high', temperature: 0.5, top_p: 0.5 })
  expect(written({ ...REQUEST, reasoning: { budgetTokens: 4000 } }, 'o3')).toMatchObject({ reasoning_effort: 'medium' })
})

test('a stream is asked for its usage, and a plain answer for nothing that streams', () => {
  expect(written(REQUEST, 'm', true)).toMatchObject({ stream: true, stream_options: { include_usage: true } })
  expect(written(REQUEST)).toEqual({ model: 'qwen', messages: [{ role: 'user', content: 'Hi' }] })
})

test('results of tools stand right behind the calls, and their images in a message of the user behind them', () => {
  const request: NeutralChat = {
    ...REQUEST,
    messages: [
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'Hm', signature: 's' },
          { kind: 'text', text: 'Looking.' },
          { kind: 'tool-call', id: 'a', name: 'f', arguments: '{}' },
          { kind: 'tool-call', id: 'b', name: 'f', arguments: '{}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { kind: 'text', text: 'And now?' },
          { kind: 'tool-result', callId: 'a', parts: [], isError: true },
          {
            kind: 'tool-result',
            callId: 'b',
            parts: [
              { kind: 'text', text: 'a cat' },
              { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
            ],
          },
        ],
      },
    ],
  }
  const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '{}' } })
  expect(written(request)['messages']).toEqual([
    { role: 'assistant', content: 'Looking.', tool_calls: [call('a'), call('b')] },
    { role: 'tool', tool_call_id: 'a', content: 'The tool failed.' },
    { role: 'tool', tool_call_id: 'b', content: 'a cat' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'From the result of the tool call b:' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'text', text: 'And now?' },
      ],
    },
  ])
})

test('several texts are one text to those who know no parts, and stay apart for OpenAI', () => {
  const parts = ['a', 'b'].map((text) => ({ kind: 'text' as const, text }))
  const image = { kind: 'image' as const, source: { kind: 'url' as const, url: 'https://example.com/a.png' } }
  const contents = (model: string) =>
    (
      written(
        {
          ...REQUEST,
          messages: [
            { role: 'system', parts },
            { role: 'user', parts: [...parts, image] },
            { role: 'assistant', parts },
            { role: 'user', parts: [{ kind: 'tool-result', callId: 'a', parts }] },
          ],
        },
        model,
      )['messages'] as { content: unknown }[]
    ).map(({ content }) => content)
  const texts = ['a', 'b'].map((text) => ({ type: 'text', text }))
  const seen = [...texts, { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }]
  expect(contents('deepseek-v4-pro')).toEqual(['a\n\nb', seen, 'a\n\nb', 'a\n\nb'])
  expect(contents('gpt-4o')).toEqual([texts, seen, texts, texts])
})

test('a note between calls and their results stands behind these', () => {
  const result = (callId: string) => ({ kind: 'tool-result' as const, callId, parts: [] })
  const roles = (
    written({
      ...REQUEST,
      messages: [
        {
          role: 'assistant',
          parts: ['a', 'b'].map((id) => ({ kind: 'tool-call' as const, id, name: 'f', arguments: '{}' })),
        },
        { role: 'user', parts: [result('a')] },
        { role: 'system', parts: [{ kind: 'text', text: 'note' }] },
        { role: 'user', parts: [result('b')] },
      ],
    })['messages'] as { role: string }[]
  ).map(({ role }) => role)
  expect(roles).toEqual(['assistant', 'tool', 'tool', 'system'])
})

test('reasoning goes back to those who refuse tool calls without it, and to nobody else', () => {
  const call = (id: string) => ({ kind: 'tool-call' as const, id, name: 'f', arguments: '{}' })
  const turns = (...thoughts: (string | null)[]): NeutralChat => ({
    ...REQUEST,
    messages: thoughts.flatMap((text, i): NeutralChat['messages'] => [
      { role: 'assistant', parts: [...(text === null ? [] : [{ kind: 'reasoning' as const, text }]), call(`${i}`)] },
      { role: 'user', parts: [{ kind: 'tool-result', callId: `${i}`, parts: [] }] },
    ]),
  })
  const told = (request: NeutralChat, model: string) =>
    (written(request, model)['messages'] as { role: string; reasoning_content?: string }[])
      .filter(({ role }) => role === 'assistant')
      .map((message) => message.reasoning_content)
  expect(told(turns('Hm', 'So'), 'deepseek-v4-pro')).toEqual(['Hm', 'So'])
  expect(told(turns('Hm', null), 'moonshotai/kimi-k2.6')).toEqual(['Hm', ' '])
  expect(told(turns(null, null), 'kimi-k2.6')).toEqual([undefined, undefined])
  expect(told(turns('Hm', 'So'), 'gpt-4o')).toEqual([undefined, undefined])
})

test('an answer that broke off is gone on with where the server can', () => {
  const body = JSON.parse(
    writeChatRequest(REQUEST, { model: 'qwen', stream: true, prefill: 'Once' }).toString(),
  ) as object
  expect(body).toMatchObject({
    messages: [{ role: 'user' }, { role: 'assistant', content: 'Once' }],
    continue_final_message: true,
    add_generation_prompt: false,
  })
})

test('tools nested too deep to be written are refused, and end nothing', () => {
  const depth = 100_000
  const parameters = `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const body = `{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":${parameters}}}]}`
  const ask = openAiChat.read(Buffer.from(body))
  expect(() => openAiChat.writeRequest(ask.neutral(), { model: 'm', stream: false })).toThrow(/nested too deep/)
})
