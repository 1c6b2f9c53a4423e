import { expect, test } from 'vitest'
import { ProviderFailure } from '../../llm/provider.ts'
import { saidIn } from '../../llm/testing/said.ts'
import { MessagesReader } from './reader.ts'
import { checkStream, eventsOf, readPieces, recordedAnswer, recordedStream } from './testing/recorded.ts'
import { MessagesWriter } from './writer.ts'

const STREAMS = [
  'text',
  'refusal',
  'tool-no-args',
  'clear-thinking.1',
  'clear-tool-uses.1',
  'fallback',
  'message-delta-input-tokens',
  'json-output-format.1',
  'json-other-tool.1',
  'web-fetch-tool.1',
  'mcp.1',
  'code-execution-20250825.1',
] as const

const kinds = (name: string) => saidIn(eventsOf(recordedStream(name))).map(({ kind }) => kind)

test.each(STREAMS)('%s: cut at every byte, the same is read and every byte is passed', (name) => {
  const stream = recordedStream(name)
  const told = (pieces: readonly Buffer[]) =>
    JSON.stringify(readPieces(pieces, true)).replace(/"createdS":\d+/, '"createdS":0')
  const whole = told([stream])
  // Every cut of a long stream takes long; this still falls on every kind of place.
  const step = Math.ceil(stream.length ** 2 / 3e6)
  for (let at = 0; at <= stream.length; at += step) {
    const pieces = [stream.subarray(0, at), stream.subarray(at)]
    const passed = readPieces(pieces, false)
    if (!Buffer.concat(passed.map(({ bytes }) => bytes)).equals(stream)) expect.fail(`bytes were lost at ${at}`)
    if (told(pieces) !== whole) expect.fail(`cut at ${at} it reads otherwise`)
  }
})

test.each(STREAMS)('%s: broken off at any byte it never counts as complete before its stop reason', (name) => {
  const stream = recordedStream(name)
  const ends = stream.indexOf('event: message_delta')
  for (let at = 0; at < ends; at += Math.ceil(ends / 100)) {
    expect(readPieces([stream.subarray(0, at)], false).some(({ complete }) => complete)).toBe(false)
  }
  expect(readPieces([stream], false).at(-1)).toMatchObject({ kind: 'end', complete: true })
})

test.each(STREAMS)('%s: the checker finds nothing wrong with what Anthropic sent', (name) => {
  expect(checkStream(recordedStream(name))).toBeNull()
})

test.each(STREAMS)('%s: written again it says the same, in blocks of the same number', (name) => {
  const events = eventsOf(recordedStream(name))
  const writer = new MessagesWriter({ stream: true, model: 'fast' })
  const written = Buffer.concat([...events.map((event) => writer.write([event])), writer.end()])
  expect(checkStream(written)).toBeNull()
  expect(saidIn(eventsOf(written))).toEqual(saidIn(events))
  const blocks = (stream: Buffer) => stream.toString().split('event: content_block_start').length
  expect(blocks(written)).toBeGreaterThanOrEqual(blocks(recordedStream(name)))
})

test.each(['text', 'clear-thinking.1', 'tool-no-args', 'refusal', 'json-output-format.1'])(
  '%s: the plain answer says the same kinds of things as the stream',
  (name) => {
    const { events } = new MessagesReader({ decode: true }).whole(recordedAnswer(name))
    expect(saidIn(events).map(({ kind }) => kind)).toEqual(kinds(name))
  },
)

test('a tool that takes nothing is called with an empty object', () => {
  expect(saidIn(eventsOf(recordedStream('tool-no-args')))).toMatchObject([
    { kind: 'start', id: 'msg_01GE2RKp1VYsPzdFs3sS9z5S' },
    { kind: 'text', text: "I'll update the issue list for you." },
    { kind: 'tool-call', id: 'toolu_01QE1WLsSVp5hy5Q3GmGTmjP', name: 'updateIssueList' },
    { kind: 'tool-arguments', json: '{}' },
    { kind: 'finish', reason: 'tool-calls' },
    { kind: 'usage', usage: { inputTokens: 565, cacheReadTokens: 0, outputTokens: 48 } },
  ])
})

test.each(['web-fetch-tool.1', 'mcp.1', 'code-execution-20250825.1'])(
  '%s: what the provider ran itself is no tool call of the caller',
  (name) => {
    const calls = eventsOf(recordedStream(name)).filter(({ kind }) => kind === 'tool-call')
    const own =
      recordedStream(name)
        .toString()
        .match(/"content_block":\{"type":"tool_use"/g) ?? []
    expect(calls).toHaveLength(own.length)
    expect(kinds(name)).toContain('text')
  },
)

test('thinking keeps its signature, marked as Anthropic’s', () => {
  expect(saidIn(eventsOf(recordedStream('clear-thinking.1')))).toMatchObject([
    { kind: 'start' },
    { kind: 'reasoning', text: 'The previous result was 925. Now I need to divide that by 5.\n\n925 ÷ 5 = 185' },
    { kind: 'reasoning-proof', signature: expect.stringMatching(/^midwatch:anthropic:EvQBCkYICx/) as string },
    { kind: 'text', text: '925 ÷ 5 = 185' },
    { kind: 'finish', reason: 'stop' },
    { kind: 'usage' },
  ])
})

test('a refusal is told as one, with its reason, and counts as an answer', () => {
  expect(saidIn(eventsOf(recordedStream('refusal')))).toMatchObject([
    { kind: 'start' },
    { kind: 'refusal', text: expect.stringContaining('blocked') as string },
    { kind: 'finish', reason: 'refusal' },
    { kind: 'usage' },
  ])
  expect(readPieces([recordedStream('refusal')], false).some(({ kind }) => kind === 'content')).toBe(true)
})

test('the totals at the end replace those of the beginning', () => {
  const usages = readPieces([recordedStream('message-delta-input-tokens')], false).map(({ usage }) => usage)
  expect(usages.findLast((usage) => usage !== null)).toMatchObject({ inputTokens: 61, outputTokens: 2 })
})

test('a server that greets twice is heard once', () => {
  const stream = recordedStream('duplicate-message-start')
  const passed = Buffer.concat(readPieces([stream], false).map(({ bytes }) => bytes))
  expect(checkStream(stream)).toBe('a second message_start')
  expect(checkStream(passed)).toBeNull()
  expect(eventsOf(stream).filter(({ kind }) => kind === 'start')).toHaveLength(1)
})

test('a second answer inside the first is nonsense, and not joined to it', () => {
  expect(() => readPieces([recordedStream('spliced-message-start')], false)).toThrow(ProviderFailure)
})

test('a block that its provider stops twice is stopped once for the caller, who would run its tool twice', () => {
  const stream = recordedStream('tool-no-args').toString('utf8')
  const stop = /event: content_block_stop\ndata: [^\n]+\n\n/
  const twice = Buffer.from(stream.replace(stop, (one) => one + one))
  const passed = Buffer.concat(readPieces([twice], false).map(({ bytes }) => bytes))
  expect(checkStream(twice)).not.toBeNull()
  expect(passed.toString('utf8')).toBe(stream)
})

test('words for a block that is not open are nonsense, and never reach the caller', () => {
  const stream = recordedStream('tool-no-args').toString('utf8')
  const start = /event: content_block_start\ndata: [^\n]+\n\n/
  expect(() => readPieces([Buffer.from(stream.replace(start, ''))], false)).toThrow(ProviderFailure)
})
