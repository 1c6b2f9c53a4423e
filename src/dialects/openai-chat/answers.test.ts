import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AnswerEvent } from '../../llm/events.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { arbitraryAnswer, collected, cutAt, eventsOf, framesOf, recorded, sseOf } from '../testing/answers.ts'
import { openAiChat } from './dialect.ts'
import { ChatWriter } from './writer.ts'

const streamed = (events: readonly AnswerEvent[], wantsUsage = true): Buffer => {
  const writer = new ChatWriter({ stream: true, wantsUsage })
  return Buffer.concat([...events.map((event) => writer.write([event])), writer.end()])
}
const whole = (events: readonly AnswerEvent[]): Buffer => {
  const writer = new ChatWriter({ stream: false, wantsUsage: true })
  for (const event of events) expect(writer.write([event])).toHaveLength(0)
  expect(writer.end()).toHaveLength(0)
  return writer.whole()
}
const decoded = (body: Buffer, choices = 1) => openAiChat.createReader({ decode: true, choices }).whole(body).events

/** A stream of one choice with these deltas. */
const stream = (...deltas: Record<string, unknown>[]): Buffer =>
  Buffer.from(
    [
      ...deltas.map((delta) => ({ delta, finish_reason: null as string | null })),
      { delta: {}, finish_reason: 'tool_calls' },
    ]
      .map((choice) => JSON.stringify({ id: 'c', model: 'm', created: 1, choices: [{ index: 0, ...choice }] }))
      .concat('[DONE]')
      .map((data) => `data: ${data}\n\n`)
      .join(''),
  )
const calls = (bytes: Buffer) =>
  collected(eventsOf(openAiChat, [bytes])).choices[0]?.parts.filter(({ kind }) => kind === 'tool-call')

const STREAMS = [
  'openai-chat/azure-text.chunks.txt',
  'openai-chat/deepseek-tool-call.chunks.txt',
  'openai-chat/groq-tool-call.chunks.txt',
  'openai-chat/mistral-reasoning.chunks.txt',
  'openai-chat/mistral-tool-call.chunks.txt',
  'openai-chat/tool-call-at-index-1.sse',
  'openai-chat/xai-tool-call.chunks.txt',
]

test.each(STREAMS)('%s says the same wherever the network cuts it', (name) => {
  const bytes = recorded(name)
  const uncut = JSON.stringify(eventsOf(openAiChat, [bytes]))
  for (let at = 1; at < bytes.length; at++) {
    if (JSON.stringify(eventsOf(openAiChat, cutAt(bytes, at))) !== uncut)
      expect.fail(`another answer when cut at ${at}`)
  }
})

test.each(STREAMS)('%s can be written anew without losing anything', (name) => {
  const events = eventsOf(openAiChat, [recorded(name)])
  expect(collected(eventsOf(openAiChat, [streamed(events)]))).toEqual(collected(events))
})

test('what the recorded servers said is understood', () => {
  const said = (name: string) => collected(eventsOf(openAiChat, [recorded(`openai-chat/${name}`)]))
  expect(said('azure-text.chunks.txt')).toMatchObject({
    id: 'chatcmpl-CYPS1lijGoK8gd9lYzY3r9Sx50nbt',
    model: 'gpt-5-nano-2025-08-07',
    choices: { 0: { parts: [{ kind: 'text', text: 'Capital of Denmark.' }], finish: 'stop' } },
    usage: { inputTokens: 15, outputTokens: 78, reasoningTokens: 64 },
  })
  expect(said('deepseek-tool-call.chunks.txt')).toMatchObject({
    choices: {
      0: {
        parts: [
          { kind: 'reasoning', text: expect.stringMatching(/^The user is asking/) as string },
          { kind: 'tool-call', name: 'weather', json: '{"location": "San Francisco"}' },
        ],
        finish: 'tool-calls',
      },
    },
    usage: { inputTokens: 19, cacheReadTokens: 320, outputTokens: 83, reasoningTokens: 39 },
  })
  expect(said('groq-tool-call.chunks.txt')).toMatchObject({
    choices: { 0: { parts: [{ kind: 'tool-call', id: 'tk85n1k4m', name: 'weather', json: '{}' }] } },
    usage: { inputTokens: 210, outputTokens: 15 },
  })
  expect(said('mistral-reasoning.chunks.txt').choices[0]?.parts).toEqual([
    { kind: 'reasoning', text: 'The user is asking for 2+2. This is basic arithmetic. 2+2=4.' },
    { kind: 'text', text: '2 + 2 = 4' },
  ])
  expect(said('mistral-tool-call.chunks.txt').choices[0]?.parts).toMatchObject([
    { kind: 'tool-call', name: 'webSearchTool', json: '{"query": "current Berlin weather"}' },
  ])
  expect(said('tool-call-at-index-1.sse').choices[0]).toMatchObject({
    parts: [
      { kind: 'text', text: 'Reading it.' },
      { kind: 'tool-call', id: 'toolu_sanitized', name: 'read_file', json: '{"path": "a.txt"}' },
    ],
    finish: 'tool-calls',
  })
  // It counts reasoning beside the completion, where OpenAI counts it within.
  expect(said('xai-tool-call.chunks.txt')).toMatchObject({
    usage: { inputTokens: 1, cacheReadTokens: 290, outputTokens: 222, reasoningTokens: 196 },
  })
})

test('a plain answer says what it said', () => {
  expect(collected(decoded(recorded('openai-chat/deepseek-tool-call.json')))).toMatchObject({
    choices: { 0: { parts: [{ kind: 'reasoning' }, { kind: 'tool-call', name: 'weather' }], finish: 'tool-calls' } },
  })
  expect(collected(decoded(recorded('openai-chat/openai-text.json')))).toMatchObject({
    model: 'gpt-4.1-nano-2025-04-14',
    choices: { 0: { parts: [{ kind: 'text' }], finish: 'stop' } },
    usage: { inputTokens: 16, outputTokens: 363 },
  })
})

test('any answer survives being written as a stream and read again, however the network cuts it', () => {
  fc.assert(
    fc.property(arbitraryAnswer({ choices: 2 }), fc.nat(), (events, cut) => {
      const bytes = streamed(events)
      expect(collected(eventsOf(openAiChat, cutAt(bytes, cut % bytes.length), 2))).toEqual(collected(events))
    }),
  )
})

test('any answer survives being written whole and read again', () => {
  fc.assert(
    fc.property(arbitraryAnswer({ choices: 2 }), (events) => {
      expect(collected(decoded(whole(events), 2))).toEqual(collected(events))
    }),
  )
})

test('any stream that is written keeps to the grammar', () => {
  fc.assert(
    fc.property(arbitraryAnswer({ choices: 2 }), fc.boolean(), (events, wantsUsage) => {
      const checker = openAiChat.createChecker()
      for (const { event, data } of sseOf(streamed(events, wantsUsage))) expect(checker.see(event, data)).toBeNull()
      expect(checker.end()).toBeNull()
    }),
  )
})

test('the role comes once and first, a call is named once, and the usage only where it was asked for', () => {
  const events: AnswerEvent[] = [
    { kind: 'start', id: 'c', model: 'm', createdS: 7 },
    { kind: 'usage', usage: { ...NOTHING_USED, inputTokens: 1 } },
    { kind: 'text', choice: 0, text: 'Hm' },
    { kind: 'tool-call', choice: 0, id: 'a', name: 'f' },
    { kind: 'tool-arguments', choice: 0, json: '{"x":' },
    { kind: 'tool-arguments', choice: 0, json: '1}' },
    { kind: 'tool-call', choice: 0, id: 'b', name: 'g' },
    { kind: 'finish', choice: 0, reason: 'stop' },
    {
      kind: 'usage',
      usage: {
        inputTokens: 10,
        cacheReadTokens: 90,
        cacheWriteTokens: 5,
        cacheWrite1hTokens: 3,
        outputTokens: 20,
        reasoningTokens: 4,
      },
    },
  ]
  const chunks = sseOf(streamed(events)).map(({ data }) => data)
  const choice = (delta: unknown, finish_reason: string | null = null) => ({
    id: 'c',
    object: 'chat.completion.chunk',
    created: 7,
    model: 'm',
    choices: [{ index: 0, delta, finish_reason }],
  })
  expect(chunks).toEqual([
    choice({ role: 'assistant', content: '', refusal: null }),
    choice({ content: 'Hm' }),
    choice({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
    choice({ tool_calls: [{ index: 0, function: { arguments: '{"x":' } }] }),
    choice({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }),
    choice({ tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '' } }] }),
    choice({ tool_calls: [{ index: 1, function: { arguments: '{}' } }] }),
    choice({}, 'tool_calls'),
    {
      ...choice({}),
      choices: [],
      usage: {
        prompt_tokens: 108,
        completion_tokens: 20,
        total_tokens: 128,
        prompt_tokens_details: { cached_tokens: 90, cache_write_tokens: 8 },
        completion_tokens_details: { reasoning_tokens: 4 },
      },
    },
    '[DONE]',
  ])
  expect(sseOf(streamed(events, false)).map(({ data }) => data)).toEqual([...chunks.slice(0, -2), '[DONE]'])
})

const NOTHING_USED = {
  inputTokens: null,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  cacheWrite1hTokens: null,
  outputTokens: null,
  reasoningTokens: null,
}

test('neither tool calls nor a refusal nor a pause are told as a finished answer', () => {
  const finish = (...events: AnswerEvent[]) => {
    const answer = JSON.parse(whole([{ kind: 'start', id: 'c', model: 'm', createdS: 1 }, ...events]).toString()) as {
      choices: { finish_reason: string; message: Record<string, unknown> }[]
    }
    return answer.choices[0]
  }
  expect(finish({ kind: 'finish', choice: 0, reason: 'refusal' })?.finish_reason).toBe('content_filter')
  expect(finish({ kind: 'finish', choice: 0, reason: 'content-filter' })?.finish_reason).toBe('content_filter')
  expect(finish({ kind: 'finish', choice: 0, reason: 'pause' })?.finish_reason).toBe('length')
  expect(
    finish({ kind: 'refusal', choice: 0, text: 'No.' }, { kind: 'finish', choice: 0, reason: 'refusal' }),
  ).toMatchObject({ finish_reason: 'stop', message: { content: null, refusal: 'No.' } })
  expect(
    finish({ kind: 'tool-call', choice: 0, id: 'a', name: 'f' }, { kind: 'finish', choice: 0, reason: 'stop' }),
  ).toMatchObject({
    finish_reason: 'tool_calls',
    message: { content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] },
  })
})

test('parallel calls come out whole and in order, also where a server mixes their arguments', () => {
  const header = (index: number) => ({ index, id: `id${index}`, function: { name: `f${index}`, arguments: '' } })
  const more = (index: number, json: string) => ({ tool_calls: [{ index, function: { arguments: json } }] })
  expect(
    calls(
      stream({ tool_calls: [header(0), header(1)] }, more(1, '{"b"'), more(0, '{"a"'), more(1, ':2}'), more(0, ':1}')),
    ),
  ).toEqual([
    { kind: 'tool-call', id: 'id0', name: 'f0', json: '{"a":1}' },
    { kind: 'tool-call', id: 'id1', name: 'f1', json: '{"b":2}' },
  ])
})

test('the arguments of a first call are told as they come, though others follow', () => {
  const bytes = stream(
    { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '1}' } }] },
    { tool_calls: [{ index: 1, id: 'b', function: { name: 'g', arguments: '{"y"' } }] },
    { tool_calls: [{ index: 1, function: { arguments: ':2}' } }] },
  )
  expect(eventsOf(openAiChat, [bytes]).filter(({ kind }) => kind.startsWith('tool'))).toEqual([
    { kind: 'tool-call', choice: 0, id: 'a', name: 'f' },
    { kind: 'tool-arguments', choice: 0, json: '{"x":' },
    { kind: 'tool-arguments', choice: 0, json: '1}' },
    { kind: 'tool-call', choice: 0, id: 'b', name: 'g' },
    { kind: 'tool-arguments', choice: 0, json: '{"y"' },
    { kind: 'tool-arguments', choice: 0, json: ':2}' },
  ])
})

test('calls are told apart where a server gives all the index 0, none, no id, or the name with every delta', () => {
  const call = (more: Record<string, unknown>, name: string, json: unknown) => ({
    tool_calls: [{ ...more, function: { name, arguments: json } }],
  })
  expect(calls(stream(call({ index: 0, id: 'a' }, 'f', '{}'), call({ index: 0, id: 'b' }, 'f', '{}')))).toMatchObject([
    { id: 'a' },
    { id: 'b' },
  ])
  expect(
    calls(stream(call({ index: 0, id: '' }, 'f', '{"x":1}'), call({ index: 0, id: '' }, 'g', '{"y":2}'))),
  ).toMatchObject([
    { name: 'f', json: '{"x":1}' },
    { name: 'g', json: '{"y":2}' },
  ])
  expect(calls(stream(call({}, 'f', '{"x":1}'), call({}, 'g', { y: 2 })))).toMatchObject([
    { name: 'f', json: '{"x":1}' },
    { name: 'g', json: '{"y":2}' },
  ])
  expect(calls(stream(call({ index: 0, id: 'a' }, 'f', '{"x"'), call({ index: 0, id: 'a' }, 'f', ':1}')))).toEqual([
    { kind: 'tool-call', id: 'a', name: 'f', json: '{"x":1}' },
  ])
  expect(calls(stream(call({ index: 0 }, 'f', '{}')))?.[0]).toMatchObject({
    id: expect.stringMatching(/^call_/) as string,
  })
})

test('a call without a name, or that goes on after its end, is nonsense and not passed on', () => {
  expect(() => calls(stream({ tool_calls: [{ index: 0, id: 'a', function: { arguments: '{}' } }] }))).toThrow(/no name/)
  expect(() =>
    calls(
      stream(
        { tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] },
        { content: 'Then' },
        { tool_calls: [{ index: 0, function: { arguments: '{"x":1}' } }] },
      ),
    ),
  ).toThrow(/after its end/)
})

test('what says `stop` after tool calls means the calls', () => {
  const said = Buffer.from(
    JSON.stringify({
      id: 'c',
      model: 'm',
      choices: [
        { message: { tool_calls: [{ id: 'a', function: { name: 'f', arguments: '' } }] }, finish_reason: 'stop' },
      ],
    }),
  )
  expect(collected(decoded(said)).choices[0]).toEqual({
    parts: [{ kind: 'tool-call', id: 'a', name: 'f', json: '{}' }],
    finish: 'tool-calls',
  })
})

test('of the usage on several chunks the last one counts', () => {
  const bytes = Buffer.from(
    [
      { choices: [{ index: 0, delta: { content: 'a' } }], usage: { prompt_tokens: 5, completion_tokens: 1 } },
      {
        choices: [{ index: 0, delta: { content: 'b' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 5, completion_tokens: 2 },
      },
    ]
      .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
      .join(''),
  )
  const answer = sseOf(streamed(eventsOf(openAiChat, [bytes])))
  expect(answer.filter(({ data }) => (data as { usage?: unknown }).usage)).toMatchObject([
    { data: { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } } },
  ])
})

test('a stream that was not finished by its provider is closed by the writer', () => {
  const chunks = sseOf(
    streamed([
      { kind: 'start', id: 'c', model: 'm', createdS: 1 },
      { kind: 'tool-call', choice: 0, id: 'a', name: 'f' },
    ]),
  )
  expect(chunks.slice(-3)).toMatchObject([
    { data: { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '{}' } }] } }] } },
    { data: { choices: [{ finish_reason: 'tool_calls' }] } },
    { data: '[DONE]' },
  ])
})

const ended = (finish: string) =>
  Buffer.from(
    ['', finish]
      .map((finish_reason, i) => ({ index: 0, delta: { role: 'assistant', content: `${i}` }, finish_reason }))
      .map((choice) => `data: ${JSON.stringify({ id: 'c', model: 'm', created: 1, choices: [choice] })}\n\n`)
      .join(''),
  )

test('an empty reason to finish is none', () => {
  expect(collected(eventsOf(openAiChat, [ended('stop')])).choices[0]).toEqual({
    parts: [{ kind: 'text', text: '01' }],
    finish: 'stop',
  })
  const frames = framesOf(openAiChat.createReader({ decode: false, choices: 1 }), [ended('stop')])
  expect(frames.map(({ complete }) => complete)).toEqual([false, true])
})

test.each(['insufficient_system_resource', 'abort', 'error'])(
  'an answer that ends by %s broke off, whether it passes or is translated',
  (finish) => {
    for (const decode of [true, false]) {
      const reader = () => openAiChat.createReader({ decode, choices: 1 })
      expect(() => framesOf(reader(), [ended(finish)])).toThrow(ProviderFailure)
      const choices = [{ index: 0, message: { content: 'half' }, finish_reason: finish }]
      expect(() => reader().whole(Buffer.from(JSON.stringify({ choices })))).toThrow(ProviderFailure)
    }
  },
)

test('what was thought and stands in the total alone is counted as output', () => {
  const usage = (told: object) =>
    openAiChat
      .createReader({ decode: false, choices: 1 })
      .whole(Buffer.from(JSON.stringify({ choices: [{ message: {} }], usage: told }))).usage
  expect(usage({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 115 })).toMatchObject({
    outputTokens: 105,
    reasoningTokens: 100,
  })
  expect(usage({ prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 })).toMatchObject({
    outputTokens: 5,
    reasoningTokens: null,
  })
})
