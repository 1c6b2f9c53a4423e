import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_USAGE } from '../../llm/chat.ts'
import { countOfInputs, joinRequests, jointKey, splitAnswer } from './joint.ts'
import { readEmbeddingsRequest } from './read-request.ts'

const ask = (body: unknown) =>
  readEmbeddingsRequest(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
const usage = (inputTokens: number) => ({ ...NO_USAGE, inputTokens, outputTokens: 0 })

test('requests that differ in more than their inputs have different keys', () => {
  const key = (more: Record<string, unknown>) => jointKey(ask({ model: 'm', input: 'a', ...more }))
  expect(key({ input: ['b', 'c'] })).toBe(key({}))
  expect(jointKey(ask('{"input":"z","user":"u","model":"m"}'))).toBe(key({ user: 'u' }))
  const others = [
    { model: 'n' },
    { dimensions: 3 },
    { user: 'u' },
    { encoding_format: 'base64' },
    { odd: 1 },
    { input: [1] },
  ]
  expect(new Set([key({}), ...others.map(key)]).size).toBe(others.length + 1)
})

test('inputs go up as they were written, in order, and everything else as the first wrote it', () => {
  const first = ask('{"model":"m", "input" : "h\\u00e9", "odd": 1.0}')
  const second = ask('{"input":[ "b" ,"c"],"model":"m","odd":1}')
  expect(joinRequests([first, second]).toString()).toBe('{"model":"m", "input" : ["h\\u00e9","b","c"], "odd": 1.0}')
  expect(joinRequests([ask({ model: 'm', input: [1, 2] }), ask({ model: 'm', input: [[3], [4]] })]).toString()).toBe(
    '{"model":"m","input":[[1, 2],[3],[4]]}'.replace(', ', ','),
  )
})

test('an answer is taken apart by its indexes, digit for digit, each with its own usage', () => {
  const body = Buffer.from(
    '{"object":"list","data":[{"index":2,"embedding":[3.00]},{"embedding":[1e-7],"index":0,"x":"y"},{"index":1,"embedding":"AAAA"}],"model":"e","usage":{"prompt_tokens":9,"total_tokens":9}}',
  )
  const parts = splitAnswer(body, [
    { count: 1, usage: usage(2) },
    { count: 2, usage: usage(7) },
  ])
  expect(parts?.map(String)).toEqual([
    '{"object":"list","data":[{"embedding":[1e-7],"index":0,"x":"y"}],"model":"e","usage":{"prompt_tokens":2,"total_tokens":2}}',
    '{"object":"list","data":[{"index":0,"embedding":"AAAA"},{"index":1,"embedding":[3.00]}],"model":"e","usage":{"prompt_tokens":7,"total_tokens":7}}',
  ])
  expect(splitAnswer(body, [{ count: 2, usage: null }])).toBeUndefined()
})

test('whatever is joined comes apart again', () => {
  const texts = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(fc.array(fc.oneof(texts, fc.string()), { minLength: 1, maxLength: 5 }), (inputs) => {
      const asks = inputs.map((input) => ask({ model: 'm', input }))
      const joint = readEmbeddingsRequest(joinRequests(asks))
      expect(joint.inputs).toEqual({ kind: 'texts', texts: inputs.flat() })
      const data = inputs.flat().map((text, index) => ({ index, embedding: [text.length], text }))
      const parts = splitAnswer(
        Buffer.from(JSON.stringify({ data })),
        asks.map((one) => ({ count: countOfInputs(one), usage: null })),
      )
      const told = parts?.map((part) => (JSON.parse(part.toString()) as { data: { text: string }[] }).data)
      expect(told?.map((vectors) => vectors.map(({ text }) => text))).toEqual(inputs.map((input) => [input].flat()))
    }),
  )
})
