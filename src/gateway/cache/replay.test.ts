import { describe, expect, test } from 'vitest'
import { anthropicMessages } from '../../dialects/anthropic-messages/dialect.ts'
import {
  checkStream,
  eventsOf,
  recordedAnswer,
  recordedStream,
} from '../../dialects/anthropic-messages/testing/recorded.ts'
import type { Ask } from '../../llm/dialect.ts'
import { saidIn } from '../../llm/testing/said.ts'
import { decodeAnswer, encodeAnswer } from './cached-answer.ts'
import { maySayAgain, type Replay, replay } from './replay.ts'
import { heard } from './testing/heard.ts'

const dialect = anthropicMessages

const askFor = (more: Record<string, unknown> = {}): Ask =>
  dialect.read(
    Buffer.from(
      JSON.stringify({ model: 'fast', max_tokens: 100, messages: [{ role: 'user', content: 'Hi' }], ...more }),
    ),
  )
const PLAIN = askFor()
const STREAM = askFor({ stream: true })

const bytesOf = ({ frames, closing }: Replay): Buffer => Buffer.concat([...frames.map(({ bytes }) => bytes), closing])

function told(bytes: Buffer, recordedFor: Ask, ask: Ask): Replay {
  const again = replay(heard(bytes, recordedFor, dialect), ask, dialect)
  if (!again) throw new Error('it could not be told')
  return again
}

describe('a kept answer is told', () => {
  test.each(['text', 'tool-no-args', 'clear-thinking.1'])('byte for byte as a stream that came as one (%s)', (name) => {
    const stream = recordedStream(name)
    expect(bytesOf(told(stream, STREAM, STREAM)).equals(stream)).toBe(true)
  })

  test.each(['text', 'tool-no-args'])('byte for byte as a plain answer that came as one (%s)', (name) => {
    const answer = recordedAnswer(name)
    expect(bytesOf(told(answer, PLAIN, PLAIN)).equals(answer)).toBe(true)
  })

  test.each(['text', 'tool-no-args', 'clear-thinking.1'])('as a stream that came whole (%s)', (name) => {
    const stream = bytesOf(told(recordedAnswer(name), PLAIN, STREAM))
    expect(checkStream(stream)).toBeNull()
    const whole = dialect.createReader({ decode: true, choices: 1 }).whole(recordedAnswer(name))
    expect(saidIn(eventsOf(stream))).toEqual(saidIn(whole.events))
  })

  test.each(['text', 'tool-no-args', 'clear-thinking.1'])('whole that came as a stream (%s)', (name) => {
    const answer = bytesOf(told(recordedStream(name), STREAM, PLAIN))
    const whole = dialect.createReader({ decode: true, choices: 1 }).whole(answer)
    expect(saidIn(whole.events)).toEqual(saidIn(eventsOf(recordedStream(name))))
  })

  test('with its text, for those who read text', () => {
    const text =
      "Hello! I'm doing well, thank you for asking. How are you doing today? Is there anything I can help you with?"
    for (const ask of [STREAM, PLAIN]) {
      const { frames } = told(recordedStream('text'), STREAM, ask)
      expect(frames.map((frame) => frame.text).join('')).toBe(text)
    }
  })

  test('only in its own form where the other would lose what it says', () => {
    const file = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Hi' } }
    const messages = [{ role: 'user', content: [file] }]
    const answer = heard(recordedStream('text'), STREAM, dialect)
    expect(replay(answer, askFor({ messages }), dialect)).toBeUndefined()
    expect(replay(answer, askFor({ messages, stream: true }), dialect)).toBeDefined()
  })

  test('the same after it was in Redis', () => {
    const answer = heard(recordedStream('text'), STREAM, dialect)
    expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer)
  })
})

test('what is kept holds on to none of the buffers in which it came', () => {
  const slab = Buffer.concat([Buffer.alloc(64 * 1024), recordedStream('text')])
  const { pieces } = heard(slab.subarray(64 * 1024), STREAM, dialect)
  expect(pieces.length).toBe(1)
  for (const { bytes } of pieces) expect(bytes.buffer).not.toBe(slab.buffer)
})

describe('is told again:', () => {
  const fit = (bytes: Buffer, ask: Ask) => maySayAgain(heard(bytes, ask, dialect), ask, dialect)
  const ended = (reason: string) =>
    Buffer.from(recordedAnswer('text').toString().replace('"end_turn"', JSON.stringify(reason)))

  test('an answer that was said to its end, or to a stop sequence, or to a tool call', () => {
    expect(fit(recordedAnswer('text'), PLAIN)).toBe(true)
    expect(fit(recordedStream('text'), STREAM)).toBe(true)
    expect(fit(ended('stop_sequence'), PLAIN)).toBe(true)
    expect(fit(recordedAnswer('tool-no-args'), PLAIN)).toBe(true)
  })

  test('never one that was withheld or declined, nor one that goes on elsewhere', () => {
    expect(fit(recordedAnswer('refusal'), PLAIN)).toBe(false)
    expect(fit(recordedStream('refusal'), STREAM)).toBe(false)
    expect(fit(ended('pause_turn'), PLAIN)).toBe(false)
  })

  test('one that met the limit of length only if the caller set the limit', () => {
    expect(fit(ended('max_tokens'), PLAIN)).toBe(true)
    expect(maySayAgain(heard(ended('max_tokens'), PLAIN, dialect), { ...PLAIN, maxOutputTokens: null }, dialect)).toBe(
      false,
    )
  })

  test('never one that lacks its end, or some of what was asked for', () => {
    const stream = recordedStream('text')
    const cut = stream.subarray(0, stream.indexOf('event: message_delta'))
    expect(fit(cut, STREAM)).toBe(false)
    expect(maySayAgain(heard(recordedAnswer('text'), PLAIN, dialect), { ...PLAIN, choices: 2 }, dialect)).toBe(false)
  })
})
