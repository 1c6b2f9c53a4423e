import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ProviderFailure } from '../../llm/provider.ts'
import { EventStreamSplitter } from './event-stream.ts'
import { event, exception, recorded } from './testing/recorded.ts'

const read = (pieces: readonly Buffer[]) => {
  const splitter = new EventStreamSplitter()
  const messages = pieces.flatMap((piece) => [...splitter.push(piece)])
  return { messages: messages.map(({ event, data }) => ({ event, data })), rest: splitter.rest() }
}

test.each(['all_headers', 'empty_message', 'int32_header', 'payload_no_headers', 'payload_one_str_header'])(
  'AWS’ vector %s is read, cut at every byte',
  (name) => {
    const bytes = recorded(`test-vectors/positive-${name}`)
    const data = name === 'empty_message' ? '' : "{'foo':'bar'}"
    for (let at = 0; at <= bytes.length; at++) {
      const { messages, rest } = read([bytes.subarray(0, at), bytes.subarray(at)])
      expect(messages).toEqual([{ event: null, data }])
      expect(rest.bytes).toHaveLength(0)
    }
  },
)

test.each(['corrupted_header_len', 'corrupted_headers', 'corrupted_length', 'corrupted_payload'])(
  'AWS’ damaged vector %s is malformed',
  (name) => {
    expect(() => read([recorded(`test-vectors/negative-${name}`)])).toThrow(ProviderFailure)
  },
)

test('messages are the same wherever their bytes were cut', () => {
  const one = fc.record({
    type: fc.constantFrom('messageStart', 'metadata'),
    body: fc.dictionary(fc.string(), fc.string()),
  })
  fc.assert(
    fc.property(fc.array(one, { minLength: 1 }), fc.array(fc.nat()), (given, cuts) => {
      const bytes = Buffer.concat(given.map(({ type, body }) => event(type, body)))
      const at = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length]
      const pieces = at.slice(1).map((to, i) => bytes.subarray(at[i], to))
      expect(read(pieces).messages).toEqual(
        given.map(({ type, body }) => ({ event: type, data: JSON.stringify(body) })),
      )
    }),
  )
})

test('any damaged byte is found, and what stood before it is still read', () => {
  const good = event('contentBlockDelta', { delta: { text: 'Hi' } })
  const next = event('contentBlockDelta', { delta: { text: ' there' } })
  for (let at = 0; at < next.length; at++) {
    const damaged = Buffer.from(next)
    damaged[at] = (damaged[at] ?? 0) ^ 0x10
    const splitter = new EventStreamSplitter()
    expect(splitter.push(Buffer.concat([good, damaged]))).toHaveLength(1)
    expect(() => splitter.rest()).toThrow(ProviderFailure)
  }
})

test('a damaged length is found before that many bytes are waited for', () => {
  const bytes = event('messageStart', {})
  bytes.writeUInt32BE(1_000_000_000, 0)
  expect(() => new EventStreamSplitter().push(bytes.subarray(0, 12))).toThrow(/damaged/)
})

test('an exception says which it is', () => {
  expect(read([exception('throttlingException', 'Slow down')]).messages).toEqual([
    { event: 'exception:throttlingException', data: '{"message":"Slow down"}' },
  ])
})
