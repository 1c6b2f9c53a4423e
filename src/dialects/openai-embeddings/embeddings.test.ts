import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { openAiEmbeddings } from './dialect.ts'
import { charactersOf, readEmbeddingsRequest } from './read-request.ts'
import { readVector, writeVector } from './vectors.ts'

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const ask = (more: Record<string, unknown>) => readEmbeddingsRequest(bytes({ model: 'm', ...more }))
const answer = (data: unknown, more: Record<string, unknown> = {}) =>
  bytes({ object: 'list', data, model: 'e', ...more })
const vector = (embedding: unknown, index: number) => ({ object: 'embedding', index, embedding })
const verbatim = (body: Buffer, of = ask({ input: 'a' })) =>
  openAiEmbeddings.createReader({ decode: false, choices: 1, ask: of }).whole(body)
const decoded = (body: Buffer, of = ask({ input: 'a' })) =>
  openAiEmbeddings.createReader({ decode: true, choices: 1, ask: of }).whole(body).events
const failureOf = (work: () => unknown): { kind?: string; field?: string | undefined; message?: string } => {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError || error instanceof ProviderFailure) return error
    throw error
  }
  return {}
}

describe('a request', () => {
  test.each([
    ['a text', 'abc', [3]],
    ['texts', ['ab', ''], [2, 0]],
    ['tokens', [1, 2, 3], [12]],
    ['lists of tokens', [[1], [2, 3]], [4, 8]],
  ])('takes %s', (_name, input, characters) => {
    expect(charactersOf(ask({ input }).inputs)).toEqual(characters)
  })

  test.each([
    ['input', {}],
    ['input', { input: [] }],
    ['input', { input: 7 }],
    ['input.1', { input: ['a', 7] }],
    ['input.1', { input: [1, 'a'] }],
    ['input.0', { input: [[]] }],
    ['input.1.0', { input: [[1], [0.5]] }],
    ['input.0', { input: [null] }],
    ['encoding_format', { input: 'a', encoding_format: 'hex' }],
    ['dimensions', { input: 'a', dimensions: 0 }],
  ])('is refused with the field %s named: %j', (field, more) => {
    const error = failureOf(() => ask(more))
    // Of `[1, 'a']` the whole is taken for tokens, and the second is none.
    expect(error.field).toBe(field)
    expect(error.message).toContain(field)
  })

  test('goes up byte for byte but for the name of the model', () => {
    const body = bytes(`{ "model":"m", "input" : ["\\u00e9", "b"],\n "dimensions": 64.0, "odd": 12345678901234567890 }`)
    const sent = openAiEmbeddings.upstreamBody(readEmbeddingsRequest(body), { model: 'text-3', stream: false })
    expect(sent.toString()).toBe(body.toString().replace('"m"', '"text-3"'))
  })

  test('of tokens says to send text where the model speaks another dialect', () => {
    expect(failureOf(() => ask({ input: [1] }).neutral())).toMatchObject({ field: 'input' })
    expect(ask({ input: ['a', 'b'], dimensions: 8, user: 'u' }).neutral()).toEqual({
      kind: 'embeddings',
      inputs: ['a', 'b'],
      dimensions: 8,
      user: 'u',
    })
  })
})

describe('an answer', () => {
  const usage = { prompt_tokens: 7, total_tokens: 7 }

  test('that is spelt as it was asked for passes byte for byte, with its usage measured', () => {
    const body = bytes(
      `{"data": [{"embedding":[0.10,-2e-3], "index":0,"x":1}],"usage":{"prompt_tokens":7,"total_tokens":7} }`,
    )
    const frame = verbatim(body)
    expect(frame.bytes).toBe(body)
    expect(frame).toMatchObject({ complete: true, usage: { inputTokens: 7, outputTokens: 0 } })
  })

  test('in numbers where base64 was asked for is put right, and the other way round, and nothing else changes', () => {
    const numbers = answer([vector([0.5, -1.25], 0), vector([3, 4], 1)], { usage })
    const base64 = answer([vector(base64Of(0.5, -1.25), 0), vector(base64Of(3, 4), 1)], { usage })
    const both = (encoding_format?: string) => ask({ input: ['a', 'b'], encoding_format })
    expect(Buffer.from(verbatim(numbers, both('base64')).bytes).toString()).toBe(base64.toString())
    expect(Buffer.from(verbatim(base64, both('float')).bytes).toString()).toBe(numbers.toString())
    expect(Buffer.from(verbatim(base64, both()).bytes).toString()).toBe(numbers.toString())
  })

  test('is read in the order of its indexes', () => {
    const events = decoded(answer([vector([2], 1), vector([1], 0)]), ask({ input: ['a', 'b'] }))
    expect(events).toContainEqual({ kind: 'embeddings', vectors: [[1], [2]] })
  })

  test.each([
    ['too few vectors', answer([vector([1], 0)]), ask({ input: ['a', 'b'] })],
    ['no vectors', answer([]), ask({ input: 'a' })],
    ['a vector of words', answer([vector(['x'], 0)]), ask({ input: 'a', encoding_format: 'base64' })],
    ['half a float', answer([vector('AAA=', 0)]), ask({ input: 'a' })],
    ['no JSON', bytes('{"data":['), ask({ input: 'a' })],
    ['a list', bytes('[]'), ask({ input: 'a' })],
  ])('with %s is malformed', (_name, body, of) => {
    expect(failureOf(() => verbatim(body, of)).kind).toBe('upstream_malformed')
  })

  test('under 200 that tells an error is that error', () => {
    const told = bytes({ error: { message: 'Too long: maximum context length', code: 'context_length_exceeded' } })
    expect(failureOf(() => verbatim(told)).kind).toBe('upstream_context_length')
  })

  test('says the same when it is written anew, in either spelling', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 4 }), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.constantFrom('float', 'base64'),
        fc.option(fc.nat(1000)),
        (vectors, encoding_format, tokens) => {
          const of = ask({ input: vectors.map(() => 'x'), encoding_format })
          const events: AnswerEvent[] = [
            { kind: 'start', id: '', model: 'e', createdS: 1 },
            { kind: 'embeddings', vectors },
          ]
          const writer = openAiEmbeddings.createWriter(of)
          writer.write(events)
          if (tokens !== null) writer.write([{ kind: 'usage', usage: { ...NOTHING, inputTokens: tokens } }])
          const frame = openAiEmbeddings.createReader({ decode: true, choices: 1, ask: of }).whole(writer.whole())
          expect(frame.events.find(({ kind }) => kind === 'embeddings')).toEqual(
            // JSON knows no negative zero.
            encoding_format === 'base64' ? events[1] : (JSON.parse(JSON.stringify(events[1])) as unknown),
          )
          expect(frame.usage?.inputTokens ?? null).toBe(tokens)
        },
      ),
    )
  })
})

test('a vector survives its two spellings', () => {
  expect(readVector(JSON.parse(writeVector([0.5, -2], 'base64')))).toEqual([0.5, -2])
  expect(readVector(JSON.parse(writeVector([0.1, -2], 'float')))).toEqual([0.1, -2])
  expect(readVector({})).toBeUndefined()
})

const NOTHING = {
  inputTokens: null,
  cacheReadTokens: null,
  cacheWriteTokens: null,
  cacheWrite1hTokens: null,
  outputTokens: 0,
  reasoningTokens: null,
}

const base64Of = (...values: number[]) => Buffer.from(new Float32Array(values).buffer).toString('base64')
