import { expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { saidIn } from '../../llm/testing/said.ts'
import { describeProvider, type Refused, SECRET } from '../contract.ts'
import { createBedrockProvider } from './provider.ts'
import { ConverseReader } from './reader.ts'
import { event, exception, readPieces, recorded } from './testing/recorded.ts'
import { readUsage } from './usage.ts'

const refused = (
  what: string,
  status: number,
  type: string,
  message: string,
  kind: Refused['kind'],
  told = false,
): Refused => ({
  what,
  status,
  body: JSON.stringify({ message }),
  headers: { 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/` },
  kind,
  told,
})

const WEATHER = [
  { kind: 'tool-call', name: 'get_weather' },
  { kind: 'tool-arguments' },
  { kind: 'finish', reason: 'tool-calls' },
]
const PARALLEL = Buffer.concat([
  event('messageStart', { role: 'assistant' }),
  event('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId: 'a', name: 'one' } } }),
  event('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '{"é": ' } } }),
  event('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '"漢🌊"}' } } }),
  event('contentBlockStop', { contentBlockIndex: 0 }),
  event('contentBlockStart', { contentBlockIndex: 1, start: { toolUse: { toolUseId: 'b', name: 'two' } } }),
  event('contentBlockDelta', { contentBlockIndex: 1, delta: { toolUse: { input: '' } } }),
  event('contentBlockStop', { contentBlockIndex: 1 }),
  event('messageStop', { stopReason: 'tool_use' }),
  event('metadata', {
    usage: { inputTokens: 5, outputTokens: 9, totalTokens: 114, cacheReadInputTokens: 80, cacheWriteInputTokens: 20 },
  }),
])
const start = Buffer.concat([
  event('messageStart', { role: 'assistant' }),
  event('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'Hel' } }),
])

describeProvider({
  name: 'Bedrock',
  create: (origin) =>
    createBedrockProvider({
      name: 'aws',
      region: 'eu-central-1',
      baseUrl: origin,
      accessKeyId: new Secret('AKIDEXAMPLE'),
      secretAccessKey: new Secret(SECRET),
      sessionToken: new Secret(SECRET),
      headers: { 'x-team': new Secret(SECRET) },
    }),
  model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
  streamType: 'application/vnd.amazon.eventstream',
  recorded: [
    {
      what: 'plain',
      stream: false,
      body: recorded('text.json'),
      said: [{ kind: 'start' }, { kind: 'text' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage' }],
    },
    {
      what: 'plain tools',
      stream: false,
      body: recorded('tool.json'),
      said: [{ kind: 'start' }, ...WEATHER, { kind: 'usage', usage: { inputTokens: 446, outputTokens: 55 } }],
    },
    {
      what: 'plain reasoning',
      stream: false,
      body: recorded('reasoning.json'),
      said: [
        { kind: 'start' },
        { kind: 'reasoning' },
        { kind: 'reasoning-proof', signature: expect.stringMatching(/^midwatch:anthropic:EvYBCkgIC/) as string },
        { kind: 'text' },
        { kind: 'finish' },
        { kind: 'usage' },
      ],
    },
    {
      what: 'text with citations',
      stream: true,
      body: recorded('citations-stream.bin'),
      said: [
        { kind: 'start' },
        { kind: 'text', text: expect.stringContaining('employees get 20 days annual leave') as string },
        { kind: 'finish', reason: 'stop' },
        { kind: 'usage', usage: { inputTokens: 887, outputTokens: 78 } },
      ],
    },
    {
      what: 'plain text with citations',
      stream: false,
      body: recorded('citations.json'),
      said: [{ kind: 'start' }, { kind: 'text' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage' }],
    },
    {
      what: 'tools',
      stream: true,
      body: recorded('tool-stream.bin'),
      said: [
        { kind: 'start', model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0' },
        { kind: 'text', text: "I'll check the current weather in San Francisco, CA for you." },
        { kind: 'tool-call', id: 'tooluse_Zsi5nODkqYT50BEZ9GG8ud', name: 'get_weather' },
        { kind: 'tool-arguments', json: '{"location": "San Francisco, CA"}' },
        { kind: 'finish', reason: 'tool-calls' },
        { kind: 'usage', usage: { inputTokens: 446, outputTokens: 76 } },
      ],
    },
    {
      what: 'parallel tools',
      stream: true,
      body: PARALLEL,
      said: [
        { kind: 'start' },
        { kind: 'tool-call', id: 'a', name: 'one' },
        { kind: 'tool-arguments', json: '{"é": "漢🌊"}' },
        { kind: 'tool-call', id: 'b', name: 'two' },
        { kind: 'tool-arguments', json: '{}' },
        { kind: 'finish', reason: 'tool-calls' },
        { kind: 'usage', usage: { inputTokens: 5, cacheReadTokens: 80, cacheWriteTokens: 20, outputTokens: 9 } },
      ],
    },
    {
      what: 'reasoning',
      stream: true,
      body: recorded('thinking-stream.bin'),
      said: [
        { kind: 'start' },
        { kind: 'reasoning', text: expect.stringContaining('factors of 5') as string },
        { kind: 'reasoning-proof' },
        { kind: 'text', text: expect.stringContaining('Setting Up the Problem') as string },
        { kind: 'finish', reason: 'stop' },
        { kind: 'usage', usage: { inputTokens: 46, outputTokens: 1196 } },
      ],
    },
  ],
  refused: [
    refused('a bad request', 400, 'ValidationException', 'The text field is blank', 'upstream_4xx', true),
    refused(
      'a prompt that is too long',
      400,
      'ValidationException',
      'Input is too long for requested model.',
      'upstream_context_length',
      true,
    ),
    refused(
      'what its rules forbid',
      400,
      'ValidationException',
      'Output blocked by content filtering policy',
      'upstream_content_policy',
      true,
    ),
    refused('a key it does not know', 403, 'UnrecognizedClientException', `No such key ${SECRET}`, 'upstream_auth'),
    refused('an expired token', 403, 'ExpiredTokenException', 'Expired', 'upstream_auth'),
    refused('a key that may not', 403, 'AccessDeniedException', 'Not for you', 'upstream_auth'),
    refused('a model that is not there', 404, 'ResourceNotFoundException', 'No such model', 'upstream_4xx'),
    refused('a rate limit', 429, 'ThrottlingException', 'Too many tokens, please wait', 'upstream_rate_limited'),
    refused('a quota', 400, 'ServiceQuotaExceededException', 'Quota', 'upstream_rate_limited'),
    {
      ...refused('a rate limit that says how long', 429, 'ThrottlingException', 'Slow down', 'upstream_rate_limited'),
      headers: { 'retry-after': '12' },
      retryAfterSeconds: 12,
    },
    refused('a model that failed', 424, 'ModelErrorException', 'The model failed', 'upstream_5xx'),
    refused('a model that is slow', 408, 'ModelTimeoutException', 'Too slow', 'upstream_timeout'),
    refused('trouble', 500, 'InternalServerException', 'Trouble', 'upstream_5xx'),
    refused('overload', 503, 'ServiceUnavailableException', 'Overloaded', 'upstream_5xx'),
    { what: 'a proxy in front of it', status: 502, body: '<html></html>', kind: 'upstream_5xx', told: false },
  ],
  errorInStream: {
    body: Buffer.concat([start, exception('modelStreamErrorException', 'The model broke off')]),
    kind: 'upstream_5xx',
  },
  malformedStream: Buffer.concat([start, Buffer.from('data: {"not": "an event stream"}\n\n')]),
})

test('tools, cut at every byte, say the same; broken off before their end they never count as complete', () => {
  const stream = recorded('tool-stream.bin')
  const told = (pieces: readonly Buffer[]) => saidIn(readPieces(pieces).flatMap(({ events }) => events))
  const whole = told([stream])
  for (let at = 0; at <= stream.length; at++) {
    expect(told([stream.subarray(0, at), stream.subarray(at)]), `cut at ${at}`).toEqual(whole)
    const complete = readPieces([stream.subarray(0, at)]).some((frame) => frame.complete)
    // The usage alone follows the reason to stop.
    if (complete) expect(told([stream.subarray(0, at)])).toContainEqual(whole.at(-2))
  }
})

test.each([
  ['throttlingException', 'Slow down', 'upstream_rate_limited'],
  ['validationException', 'Input is too long for requested model', 'upstream_context_length'],
  ['validationException', 'The text is blank', 'upstream_4xx'],
  ['internalServerException', 'Trouble', 'upstream_5xx'],
  ['serviceUnavailableException', 'Overloaded', 'upstream_5xx'],
  ['modelTimeoutException', 'Too slow', 'upstream_timeout'],
])('the exception %s in a stream (%s) is %s', (type, text, kind) => {
  expect(() => readPieces([exception(type, text)])).toThrow(expect.objectContaining({ kind }) as Error)
})

test.each([
  ['guardrail_intervened', 'content-filter'],
  ['content_filtered', 'content-filter'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
])('%s is told as %s', (stopReason, reason) => {
  const events = readPieces([event('messageStop', { stopReason })]).flatMap((frame) => frame.events)
  expect(events).toContainEqual({ kind: 'finish', choice: 0, reason })
})

test('a call that the model could not write is a failure and never a clean end', () => {
  expect(() => readPieces([event('messageStop', { stopReason: 'malformed_tool_use' })])).toThrow(ProviderFailure)
})

test('usage that comes before the reason to stop is told after it', () => {
  const usage = event('metadata', { usage: { inputTokens: 1, outputTokens: 2 } })
  const events = readPieces([start, usage, event('messageStop', { stopReason: 'end_turn' })]).flatMap((f) => f.events)
  expect(events.map(({ kind }) => kind)).toEqual(['start', 'text', 'finish', 'usage'])
})

test('the stop sequence that was met is told', () => {
  const stop = {
    stopReason: 'stop_sequence',
    additionalModelResponseFields: { delta: { stop_sequence: 'END' } },
  }
  const events = readPieces([event('messageStop', stop)]).flatMap((frame) => frame.events)
  expect(events).toContainEqual({ kind: 'finish', choice: 0, reason: 'stop', stopSequence: 'END' })
})

test('a tool that takes nothing is called with an empty object', () => {
  const { events } = new ConverseReader('m', null).whole(recorded('tool-no-args.json'))
  expect(saidIn(events)).toMatchObject([
    { kind: 'start' },
    { kind: 'text' },
    { kind: 'tool-call', name: 'updateIssueList' },
    { kind: 'tool-arguments', json: '{}' },
    { kind: 'finish', reason: 'tool-calls' },
    { kind: 'usage' },
  ])
})

test('the arguments of the tool that stands for the answer are the answer', () => {
  const stream = [
    event('contentBlockStart', { contentBlockIndex: 0, start: { toolUse: { toolUseId: 'a', name: 'city' } } }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '{"name":' } } }),
    event('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '"Rome"}' } } }),
    event('contentBlockStop', { contentBlockIndex: 0 }),
    event('messageStop', { stopReason: 'tool_use' }),
  ]
  const said = [{ kind: 'start' }, { kind: 'text', text: '{"name":"Rome"}' }, { kind: 'finish', reason: 'stop' }]
  const frames = readPieces(stream, 'city')
  expect(saidIn(frames.flatMap(({ events }) => events))).toMatchObject(said)
  expect(frames.map(({ text }) => text).join('')).toBe('{"name":"Rome"}')
  const answer = {
    output: { message: { content: [{ toolUse: { toolUseId: 'a', name: 'city', input: { name: 'Rome' } } }] } },
    stopReason: 'tool_use',
  }
  const { events } = new ConverseReader('m', 'city').whole(Buffer.from(JSON.stringify(answer)))
  expect(saidIn(events)).toMatchObject(said)
})

test('what was written to a cache for an hour is counted apart', () => {
  const usage = {
    inputTokens: 3,
    outputTokens: 4,
    cacheReadInputTokens: 5,
    cacheWriteInputTokens: 30,
    cacheDetails: [
      { ttl: '5m', inputTokens: 10 },
      { ttl: '1h', inputTokens: 20 },
    ],
  }
  expect(readUsage(usage)).toMatchObject({
    inputTokens: 3,
    cacheReadTokens: 5,
    cacheWriteTokens: 10,
    cacheWrite1hTokens: 20,
  })
})
