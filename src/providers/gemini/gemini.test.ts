import { expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import { signatureOf } from '../../dialects/call-id.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { saidIn } from '../../llm/testing/said.ts'
import { describeProvider, type Refused, SECRET } from '../contract.ts'
import { createGeminiProvider } from './provider.ts'
import { GeminiReader } from './reader.ts'
import { chunk, readPieces, recordedAnswer, recordedStream, streamOf } from './testing/recorded.ts'
import { readUsage } from './usage.ts'

const error = (code: number, status: string, message: string, details: readonly unknown[] = []) =>
  JSON.stringify({ error: { code, message, status, details } })

const refused = (
  what: string,
  code: number,
  status: string,
  message: string,
  kind: Refused['kind'],
  told = false,
): Refused => ({ what, status: code, body: error(code, status, message), kind, told })

const PARALLEL = streamOf(
  chunk([{ text: 'I weigh it.', thought: true }]),
  chunk([
    { functionCall: { id: 'a', name: 'one', args: { é: '漢🌊' } }, thoughtSignature: 'c2lnbmVk' },
    { functionCall: { id: 'b', name: 'two' } },
  ]),
  chunk([{ text: '' }], { finishReason: 'STOP' }, { candidatesTokenCount: 10, thoughtsTokenCount: 5 }),
)
const THOUGHTS = streamOf(
  chunk([{ text: '**Adding up**\n', thought: true }]),
  chunk([{ text: 'Two and two.', thought: true }]),
  chunk([{ text: 'It is 4 🎉.' }], {}, { candidatesTokenCount: 4, thoughtsTokenCount: 61 }),
  chunk(
    [{ text: '', thoughtSignature: 'c2lnbmVk' }],
    { finishReason: 'STOP' },
    { candidatesTokenCount: 4, thoughtsTokenCount: 61 },
  ),
)
const start = recordedStream('text').subarray(0, recordedStream('text').indexOf('\r\n\r\n') + 4)
const WEATHER = [
  { kind: 'start', id: 'QHiLaa6LBrb8vdIPoNztsAg', model: 'gemini-3-pro-preview' },
  { kind: 'tool-call', name: 'weather' },
  { kind: 'tool-arguments', json: '{"location":"San Francisco"}' },
  { kind: 'finish', reason: 'tool-calls' },
  // What it thought (804) is not in the candidates' count (15).
  { kind: 'usage', usage: { inputTokens: 29, outputTokens: 819, reasoningTokens: 804, cacheReadTokens: null } },
]

describeProvider({
  name: 'Gemini',
  create: (origin) =>
    createGeminiProvider({
      name: 'google',
      baseUrl: origin,
      apiKey: new Secret(SECRET),
      headers: { 'x-team': new Secret(SECRET) },
    }),
  model: 'gemini-3-pro-preview',
  streamType: 'text/event-stream',
  recorded: [
    {
      what: 'plain',
      stream: false,
      body: recordedAnswer('text'),
      said: [{ kind: 'start' }, { kind: 'text' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage' }],
    },
    {
      what: 'plain tools',
      stream: false,
      body: recordedAnswer('tool-call-gemini3'),
      said: [{ ...WEATHER[0], id: 'JniLacKqGqH0xs0P0O776As' }, ...WEATHER.slice(1, 4), { kind: 'usage' }],
    },
    {
      what: 'text',
      stream: true,
      body: recordedStream('text'),
      said: [
        { kind: 'start' },
        { kind: 'text', text: 'There are **3** "r"s in strawberry.\n\nst**r**awbe**rr**y' },
        { kind: 'finish', reason: 'stop' },
        { kind: 'usage', usage: { inputTokens: 9, reasoningTokens: 185 } },
      ],
    },
    { what: 'tools', stream: true, body: recordedStream('tool-call-gemini3'), said: WEATHER },
    {
      what: 'parallel tools',
      stream: true,
      body: PARALLEL,
      said: [
        { kind: 'start' },
        { kind: 'reasoning' },
        { kind: 'tool-call', name: 'one' },
        { kind: 'tool-arguments', json: '{"é":"漢🌊"}' },
        { kind: 'tool-call', id: 'b', name: 'two' },
        { kind: 'tool-arguments', json: '{}' },
        { kind: 'finish', reason: 'tool-calls' },
        { kind: 'usage', usage: { inputTokens: 29, outputTokens: 15, reasoningTokens: 5 } },
      ],
    },
    {
      what: 'reasoning',
      stream: true,
      body: THOUGHTS,
      said: [
        { kind: 'start' },
        { kind: 'reasoning', text: '**Adding up**\nTwo and two.' },
        { kind: 'text', text: 'It is 4 🎉.' },
        { kind: 'finish', reason: 'stop' },
        { kind: 'usage', usage: { outputTokens: 65, reasoningTokens: 61 } },
      ],
    },
  ],
  refused: [
    refused('a bad request', 400, 'INVALID_ARGUMENT', 'Unable to submit request because …', 'upstream_4xx', true),
    refused(
      'a prompt that is too long',
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
      'upstream_context_length',
      true,
    ),
    refused(
      'a wrong key',
      400,
      'INVALID_ARGUMENT',
      `API key not valid: ${SECRET}. Please pass a valid API key.`,
      'upstream_auth',
    ),
    refused('an unpaid account', 400, 'FAILED_PRECONDITION', 'Enable billing on your project', 'upstream_auth'),
    refused('a key that may not', 403, 'PERMISSION_DENIED', 'Not for you', 'upstream_auth'),
    {
      what: 'a model that is not there',
      status: 404,
      body: recordedAnswer('404-no-model').toString(),
      kind: 'upstream_4xx',
      told: false,
    },
    {
      what: 'a quota that says in its details how long to wait',
      status: 429,
      body: recordedAnswer('429-retry-info').toString(),
      kind: 'upstream_rate_limited',
      retryAfterSeconds: 34.4,
      told: false,
    },
    refused('a quota', 429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota', 'upstream_rate_limited'),
    refused('trouble', 500, 'INTERNAL', 'An internal error has occurred', 'upstream_5xx'),
    refused('overload', 503, 'UNAVAILABLE', 'The model is overloaded', 'upstream_5xx'),
    refused('a timeout', 504, 'DEADLINE_EXCEEDED', 'The deadline expired', 'upstream_timeout'),
    { what: 'a proxy in front of it', status: 502, body: '<html></html>', kind: 'upstream_5xx', told: false },
    {
      what: 'an error in a list',
      status: 503,
      body: `[${error(503, 'UNAVAILABLE', 'The model is overloaded')}]`,
      kind: 'upstream_5xx',
      told: false,
    },
  ],
  errorInStream: {
    body: Buffer.concat([start, Buffer.from(`data: ${error(503, 'UNAVAILABLE', 'overloaded')}\r\n\r\n`)]),
    kind: 'upstream_5xx',
  },
  malformedStream: Buffer.concat([start, Buffer.from('data: {"candidates": [{"cont\r\n\r\n')]),
})

test.each(['text', 'reasoning', 'reasoning-gemini3', 'tool-call', 'tool-call-gemini3'])(
  '%s: cut at every byte, the same is read; broken off before its end it never counts as complete',
  (name) => {
    const stream = recordedStream(name)
    const told = (pieces: readonly Buffer[]) =>
      JSON.stringify(saidIn(readPieces(pieces).flatMap(({ events }) => events))).replaceAll(
        /call_[0-9A-Z]{26}/g,
        'call',
      )
    const whole = told([stream])
    const last = stream.lastIndexOf('data: ')
    for (let at = 0; at <= stream.length; at++) {
      if (told([stream.subarray(0, at), stream.subarray(at)]) !== whole) expect.fail(`cut at ${at} it reads otherwise`)
      const complete = readPieces([stream.subarray(0, at)]).some((frame) => frame.complete)
      if (at < last && complete) expect.fail(`broken off at ${at} it counts as complete`)
    }
    expect(readPieces([stream]).at(-1)?.complete).toBe(true)
  },
)

test('a signature of a call travels in its id and comes back whole', () => {
  const stream = recordedStream('tool-call-gemini3')
  const call = readPieces([stream])
    .flatMap(({ events }) => events)
    .find(({ kind }) => kind === 'tool-call')
  const [first] = stream.toString().split('\r\n')
  const sent = JSON.parse((first ?? '').slice(6)) as {
    candidates: [{ content: { parts: [{ thoughtSignature: string }] } }]
  }
  expect(call?.kind === 'tool-call' && signatureOf(call.id)).toBe(sent.candidates[0].content.parts[0].thoughtSignature)
  expect(call?.kind === 'tool-call' && call.id).toMatch(/^[a-zA-Z0-9_-]+$/)
})

test('a thought is reasoning also where it is all there was room for', () => {
  const { events, complete } = new GeminiReader({ choices: 1 }).whole(recordedAnswer('thought'))
  expect(complete).toBe(true)
  expect(saidIn(events)).toMatchObject([
    { kind: 'start' },
    { kind: 'reasoning' },
    { kind: 'finish', reason: 'length' },
    { kind: 'usage', usage: { inputTokens: 17, outputTokens: 19, reasoningTokens: 19 } },
  ])
})

test('what was read from a cache is not counted twice, what Google’s tools fed in is counted', () => {
  // As recorded in googleapis/js-genai.
  const usage = {
    cachedContentTokenCount: 901,
    candidatesTokenCount: 432,
    promptTokenCount: 1844,
    thoughtsTokenCount: 91,
    toolUsePromptTokenCount: 1934,
    totalTokenCount: 4301,
  }
  const read = readUsage(usage)
  expect(read).toMatchObject({ inputTokens: 943 + 1934, cacheReadTokens: 901, outputTokens: 523, reasoningTokens: 91 })
  expect((read?.inputTokens ?? 0) + (read?.cacheReadTokens ?? 0) + (read?.outputTokens ?? 0)).toBe(
    usage.totalTokenCount,
  )
})

test('a blocked prompt is refused by its rules and not an empty answer', () => {
  const body = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, usageMetadata: { promptTokenCount: 4 } }
  const failures = [
    () => readPieces([streamOf(body)]),
    () => new GeminiReader({ choices: 1 }).whole(Buffer.from(JSON.stringify(body))),
  ]
  for (const read of failures) {
    expect(read).toThrow(ProviderFailure)
    expect(read).toThrow(/PROHIBITED_CONTENT/)
  }
})

test.each(['SAFETY', 'RECITATION', 'PROHIBITED_CONTENT'])('%s withholds the rest', (finishReason) => {
  const events = readPieces([streamOf(chunk([{ text: 'So' }]), { candidates: [{ finishReason, index: 0 }] })]).flatMap(
    (frame) => frame.events,
  )
  expect(events).toContainEqual({ kind: 'finish', choice: 0, reason: 'content-filter' })
})

test('a call that the model could not write is a failure and never a clean end', () => {
  expect(() => readPieces([streamOf(chunk([], { finishReason: 'MALFORMED_FUNCTION_CALL' }))])).toThrow(ProviderFailure)
})

test('of several answers all must have finished; fewer than were asked for are complete at the end of the stream', () => {
  const of = (index: number, more: object = {}) => ({
    candidates: [{ content: { parts: [{ text: `${index}` }] }, index, ...more }],
  })
  const both = readPieces([streamOf(of(0), of(1), of(0, { finishReason: 'STOP' }), of(1, { finishReason: 'STOP' }))], 2)
  expect(both.map(({ complete }) => complete)).toEqual([false, false, false, true])
  expect(both.flatMap(({ events }) => events).filter(({ kind }) => kind === 'finish')).toHaveLength(2)
  const one = readPieces([streamOf(of(0, { finishReason: 'STOP' }))], 2)
  expect(one.map(({ complete }) => complete)).toEqual([false, true])
  const cut = readPieces([streamOf(of(0, { finishReason: 'STOP' }), of(1))], 2)
  expect(cut.some(({ complete }) => complete)).toBe(false)
})
