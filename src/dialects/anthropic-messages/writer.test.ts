import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AnswerEvent } from '../../llm/events.ts'
import { anyAnswer } from '../../llm/testing/answers.ts'
import { markProof } from '../proof.ts'
import { saidIn } from '../../llm/testing/said.ts'
import { MessagesReader } from './reader.ts'
import { asEvent, checkStream, eventsOf, readPieces } from './testing/recorded.ts'
import { MessagesWriter } from './writer.ts'

const ofAnthropic = anyAnswer({ proof: (text) => markProof('anthropic', text) })

function stream(events: readonly AnswerEvent[], batch = 1): Buffer {
  const writer = new MessagesWriter({ stream: true, model: 'fast' })
  const out: Uint8Array[] = []
  for (let i = 0; i < events.length; i += batch) out.push(writer.write(events.slice(i, i + batch)))
  return Buffer.concat([...out, writer.end()])
}

function whole(events: readonly AnswerEvent[]): Buffer {
  const writer = new MessagesWriter({ stream: false, model: 'fast' })
  expect(writer.write(events)).toHaveLength(0)
  return writer.whole()
}

/** What Anthropic's protocol has no place for: an unknown output count, a stop where tools were called. */
function asAnthropicTells(events: readonly AnswerEvent[]): AnswerEvent[] {
  const called = events.some(({ kind }) => kind === 'tool-call')
  const last = events.findLast(({ kind }) => kind === 'usage')
  const told = saidIn(events).flatMap((event): AnswerEvent[] => {
    if (event.kind === 'usage') return []
    if (event.kind === 'finish' && event.reason === 'stop' && called) return [{ ...event, reason: 'tool-calls' }]
    return [event]
  })
  return last ? [...told, last] : told
}

const withoutUsage = (events: readonly AnswerEvent[]) => events.filter(({ kind }) => kind !== 'usage')

test('whatever is said, the checker accepts the stream, however the events are batched', () => {
  fc.assert(
    fc.property(ofAnthropic, fc.integer({ min: 1, max: 9 }), (events, batch) => {
      expect(checkStream(stream(events, batch))).toBeNull()
    }),
  )
})

test('what is written is read back, streamed and whole', () => {
  fc.assert(
    fc.property(ofAnthropic, (events) => {
      const told = withoutUsage(asAnthropicTells(events))
      expect(withoutUsage(saidIn(eventsOf(stream(events))))).toEqual(told)
      const read = new MessagesReader({ decode: true }).whole(whole(events))
      expect(withoutUsage(saidIn(read.events)).map(compact)).toEqual(told.map(compact))
    }),
  )
})

/** The spelling of arguments may change where they are told as an object. */
const compact = (event: AnswerEvent): AnswerEvent =>
  event.kind === 'tool-arguments' ? { ...event, json: JSON.stringify(JSON.parse(event.json)) } : event

test('no count of tokens changes on the way, and input is told without what was cached', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1e6), { minLength: 6, maxLength: 6 }), ([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0]) => {
      const usage = {
        inputTokens: a,
        cacheReadTokens: b,
        cacheWriteTokens: c,
        cacheWrite1hTokens: d,
        outputTokens: e,
        reasoningTokens: f,
      }
      const events: AnswerEvent[] = [{ kind: 'usage', usage }]
      expect(readPieces([stream(events)], false).findLast((frame) => frame.usage)?.usage).toEqual(usage)
      expect(new MessagesReader({ decode: false }).whole(whole(events)).usage).toEqual(usage)
      expect(JSON.parse(whole(events).toString())).toMatchObject({ usage: { input_tokens: a } })
    }),
  )
})

test('another provider’s signature is never shown as Anthropic’s', () => {
  const thought: AnswerEvent = { kind: 'reasoning', choice: 0, text: 'Hm' }
  const proof = (signature: string): AnswerEvent => ({ kind: 'reasoning-proof', choice: 0, signature })
  expect(stream([thought, proof('gAAAAA')]).toString()).not.toContain('gAAAAA')
  expect(stream([thought, proof(markProof('gemini', 'x'))]).toString()).toContain('"signature":"midwatch:gemini:x"')
  expect(stream([thought, proof(markProof('anthropic', 'x'))]).toString()).toContain('"signature":"x"')
})

test('thinking is never inside a text block, and each tool call stops once', () => {
  const text = stream([
    { kind: 'reasoning', choice: 0, text: 'Hm' },
    { kind: 'text', choice: 0, text: 'Yes' },
    { kind: 'tool-call', choice: 0, id: 'a', name: 'one' },
    { kind: 'tool-arguments', choice: 0, json: '{"x":' },
    { kind: 'tool-arguments', choice: 0, json: '1}' },
    { kind: 'tool-call', choice: 0, id: 'b', name: 'two' },
    { kind: 'finish', choice: 0, reason: 'stop' },
  ]).toString()
  expect(text.match(/"type":"content_block_start"/g)).toHaveLength(4)
  expect(text.match(/"type":"content_block_stop"/g)).toHaveLength(4)
  expect(text).toContain('"stop_reason":"tool_use"')
})

test('the checker names what is wrong with a stream', () => {
  const start = asEvent({ type: 'message_start', message: MESSAGE })
  const open = (index: number) => asEvent({ type: 'content_block_start', index, content_block: { type: 'text' } })
  const delta = (index: number, type = 'text_delta') => asEvent({ type: 'content_block_delta', index, delta: { type } })
  const stop = (index: number) => asEvent({ type: 'content_block_stop', index })
  const ends = asEvent({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: {} })
  const over = asEvent({ type: 'message_stop' })
  const wrong = (...events: string[]) => checkStream(Buffer.from(events.join('')))
  expect(wrong(start, open(0), delta(0), stop(0), ends, over)).toBeNull()
  expect(wrong(start, start)).toBe('a second message_start')
  expect(wrong(open(0))).toBe('content_block_start before message_start')
  expect(wrong(start, open(0), stop(0), stop(0))).toBe('block 0 stops and is not open')
  expect(wrong(start, open(0), stop(0), delta(0))).toBe('a delta to block 0, which is not open')
  expect(wrong(start, open(1))).toBe('block 1 where 0 is next')
  expect(wrong(start, open(0), open(1))).toBe('block 1 begins while block 0 is open')
  expect(wrong(start, open(0), delta(0, 'thinking_delta'))).toBe('thinking_delta to a block of text')
  expect(wrong(start, open(0), ends)).toBe('message_delta while block 0 is open')
  expect(wrong(start, ends, ends)).toBe('a second stop_reason')
  expect(wrong(start, ends, open(0))).toBe('a block after message_delta')
  expect(wrong(start, over)).toBe('message_stop without a stop_reason')
  expect(wrong(start, ends, over, over)).toBe('message_stop after the end')
  expect(wrong(start, ends)).toBe('neither message_stop nor an error came')
  expect(wrong(start.replace('event: message_start\n', ''))).toBe('the event message_start is named nothing')
  expect(wrong(start, asEvent({ type: 'error', error: { type: 'api_error', message: 'No' } }))).toBeNull()
  expect(wrong()).toBe('nothing was said')
})

const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage: {} }
