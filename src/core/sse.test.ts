import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatSse, type SseFrame, SseSplitter } from './sse.ts'

function splitAll(pieces: readonly Buffer[]): { frames: SseFrame[]; rest: SseFrame } {
  const splitter = new SseSplitter()
  const frames = pieces.flatMap((piece) => splitter.push(piece))
  return { frames, rest: splitter.rest() }
}

const fields = (frames: readonly SseFrame[]) =>
  frames.filter(({ data }) => data !== null).map(({ event, data }) => ({ event, data }))

const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll(/[\r\n\uFEFF]/g, ''))
const anEvent = fc.record({
  event: fc.option(text),
  data: fc.array(text, { minLength: 1, maxLength: 3 }),
  end: lineEnd,
})

test('whatever events are sent and wherever the bytes are cut, the same events are read and no byte is lost', () => {
  fc.assert(
    fc.property(fc.array(anEvent, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (events, cuts) => {
      const bytes = Buffer.from(
        events
          .map(({ event, data, end }) =>
            [...(event === null ? [] : [`event: ${event}`]), ...data.map((line) => `data: ${line}`), '', ''].join(end),
          )
          .join(''),
      )
      const at = [...new Set(cuts.map((cut) => (bytes.length === 0 ? 0 : cut % bytes.length)))].sort((a, b) => a - b)
      const pieces = [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length))
      const { frames, rest } = splitAll(pieces)
      expect(Buffer.concat([...frames.map((frame) => frame.bytes), rest.bytes]).equals(bytes)).toBe(true)
      expect(fields(frames)).toEqual(events.map(({ event, data }) => ({ event, data: data.join('\n') })))
    }),
  )
})

test('any bytes at all come out as they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      const { frames, rest } = splitAll(chunks.map((chunk) => Buffer.from(chunk)))
      expect(Buffer.concat([...frames.map((frame) => frame.bytes), rest.bytes])).toEqual(Buffer.concat(chunks))
    }),
  )
})

test('a stream cut at every byte reads the same', () => {
  const bytes = Buffer.from(': hi\r\n\r\ndata: {"é":"漢🌊"}\n\nevent: error\rdata:a\rdata\rid: 7\r\rdata: [DONE]\n\n')
  const whole = splitAll([bytes])
  expect(fields(whole.frames)).toEqual([
    { event: null, data: '{"é":"漢🌊"}' },
    { event: 'error', data: 'a\n' },
    { event: null, data: '[DONE]' },
  ])
  for (let at = 0; at <= bytes.length; at++) {
    expect(fields(splitAll([bytes.subarray(0, at), bytes.subarray(at)]).frames), `cut at ${at}`).toEqual(
      fields(whole.frames),
    )
  }
})

test('a byte order mark is no part of the first field', () => {
  expect(fields(splitAll([Buffer.from('\uFEFFdata: x\n\n')]).frames)).toEqual([{ event: null, data: 'x' }])
})

test('what lacks its blank line is the rest', () => {
  const { frames, rest } = splitAll([Buffer.from('data: a\n\ndata: b\n')])
  expect([fields(frames), rest.data]).toEqual([[{ event: null, data: 'a' }], 'b'])
})

test('a frame that never ends is refused instead of kept', () => {
  const splitter = new SseSplitter()
  const megabyte = Buffer.alloc(1024 * 1024, 'x')
  expect(() => {
    for (let i = 0; i < 20; i++) splitter.push(megabyte)
  }).toThrow(RangeError)
})

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (data) => {
      const { frames } = splitAll([Buffer.from(formatSse(data, 'note'))])
      expect(fields(frames)).toEqual([{ event: 'note', data: data.replaceAll(/\r\n|\r/g, '\n') }])
    }),
  )
})
