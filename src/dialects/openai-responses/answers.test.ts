import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import type { AnswerEvent } from '../../llm/events.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { markProof } from '../proof.ts'
import {
  type Answer,
  arbitraryAnswer,
  collected,
  cutAt,
  eventsOf,
  framesOf,
  recorded,
  sseOf,
} from '../testing/answers.ts'
import { openAiResponses } from './dialect.ts'
import { ResponsesWriter } from './writer.ts'

const BODY = Buffer.from('{"model":"m","input":"Hello","instructions":"Be brief."}')
const streamed = (events: readonly AnswerEvent[], body = BODY): Buffer => {
  const writer = new ResponsesWriter({ stream: true, body })
  return Buffer.concat([...events.map((event) => writer.write([event])), writer.end()])
}
const whole = (events: readonly AnswerEvent[], body = BODY): Buffer => {
  const writer = new ResponsesWriter({ stream: false, body })
  for (const event of events) expect(writer.write([event])).toHaveLength(0)
  expect(writer.end()).toHaveLength(0)
  return writer.whole()
}
const reader = (decode = true) => openAiResponses.createReader({ decode, choices: 1 })
const file = (name: string) => recorded(`openai-responses/${name}`, true)
const START: AnswerEvent = { kind: 'start', id: 'resp_1', model: 'm', createdS: 7 }
const finish = (reason: Extract<AnswerEvent, { kind: 'finish' }>['reason']): AnswerEvent => ({
  kind: 'finish',
  choice: 0,
  reason,
})

/** Responses always tells what was cached and reasoned. */
const withDetails = (answer: Answer): Answer => ({
  ...answer,
  usage: answer.usage && {
    ...answer.usage,
    cacheReadTokens: answer.usage.cacheReadTokens ?? 0,
    reasoningTokens: answer.usage.reasoningTokens ?? 0,
  },
})

/** Named as OpenAI names responses. */
const arbitraryResponse = () =>
  arbitraryAnswer().map((events) =>
    events.map((event) => (event.kind === 'start' ? { ...event, id: `resp_${event.id}` } : event)),
  )

const STREAMS = ['azure-text', 'azure-tool-call', 'provider-run-shell', 'reasoning', 'rotating-ids']

test.each(['azure-text', 'azure-tool-call'])('%s says the same wherever the network cuts it', (name) => {
  const bytes = file(`${name}.chunks.txt`)
  const uncut = JSON.stringify(eventsOf(openAiResponses, [bytes]))
  for (let at = 1; at < bytes.length; at++) {
    if (JSON.stringify(eventsOf(openAiResponses, cutAt(bytes, at))) !== uncut)
      expect.fail(`another answer, cut at ${at}`)
  }
})

test.each(STREAMS)('%s can be written anew without losing anything', (name) => {
  const read = eventsOf(openAiResponses, [file(`${name}.chunks.txt`)])
  // One recording has a short name put in place of its own.
  const events = read.map((event) => (event.kind === 'start' ? { ...event, id: `resp_${event.id}` } : event))
  const again = streamed(events)
  expect(collected(eventsOf(openAiResponses, [again]))).toEqual(withDetails(collected(events)))
  const checker = openAiResponses.createChecker()
  for (const { event, data } of sseOf(again)) expect(checker.see(event, data)).toBeNull()
  expect(checker.end()).toBeNull()
})

test.each(STREAMS)('%s passes verbatim, byte for byte, with its last event as the end mark', (name) => {
  const bytes = file(`${name}.chunks.txt`)
  const frames = framesOf(reader(false), [bytes])
  expect(Buffer.concat(frames.map((frame) => frame.bytes))).toEqual(bytes)
  expect(frames.filter(({ kind }) => kind === 'end')).toHaveLength(1)
  expect(frames.at(-1)).toMatchObject({
    kind: 'end',
    complete: true,
    usage: { inputTokens: expect.any(Number) as number },
  })
  expect(frames.findIndex(({ kind }) => kind === 'content')).toBeGreaterThan(1)
})

test.each(STREAMS.filter((name) => name !== 'rotating-ids'))('%s keeps to the grammar', (name) => {
  const checker = openAiResponses.createChecker()
  const wrong = sseOf(file(`${name}.chunks.txt`)).map(({ event, data }) => checker.see(event, data))
  // The one recording's numbers are right, but its shell's events name no item.
  if (name !== 'provider-run-shell') expect(wrong.filter((one) => one !== null)).toEqual([])
  expect(checker.end()).toBeNull()
})

test('what the recorded servers said is understood', () => {
  const said = (name: string) => collected(eventsOf(openAiResponses, [file(name)]))
  expect(said('azure-tool-call.chunks.txt')).toMatchObject({
    id: 'resp_04041325ab8ae30400698c519fb7fc81979972618138fc336d',
    choices: {
      0: {
        parts: [
          {
            kind: 'tool-call',
            id: 'call_H5DxLSFnsGhiROnUiDHmgyc8',
            name: 'weather',
            json: '{"location":"San Francisco"}',
          },
        ],
        finish: 'tool-calls',
      },
    },
  })
  expect(said('reasoning.chunks.txt').choices[0]).toMatchObject({
    parts: [
      { kind: 'reasoning', text: expect.stringMatching(/^\*\*Calculating step-by-step/) as string },
      { kind: 'reasoning-proof', encrypted: expect.stringMatching(/^midwatch:openai:gAAAA/) as string },
      { kind: 'tool-call', name: 'calculator', json: '{"a":12,"b":7,"op":"add"}' },
    ],
    finish: 'tool-calls',
  })
  expect(said('rotating-ids.chunks.txt').choices[0]).toMatchObject({
    parts: [
      { kind: 'reasoning' },
      { kind: 'text', text: expect.stringMatching(/^There are \*\*3\*\* letter/) as string },
    ],
    finish: 'stop',
  })
})

test('what a provider did with tools of its own is none of the calls of the caller', () => {
  const answer = collected(eventsOf(openAiResponses, [file('provider-run-shell.chunks.txt')]))
  expect(answer.choices[0]).toEqual({
    parts: [{ kind: 'text', text: 'The command ran successfully.' }],
    finish: 'stop',
  })
})

test('a plain answer says what it said', () => {
  const said = (name: string) => collected(reader().whole(recorded(`openai-responses/${name}`)).events)
  expect(said('azure-text.json').choices[0]).toMatchObject({ parts: [{ kind: 'text' }], finish: 'stop' })
  expect(said('azure-tool-call.json').choices[0]).toMatchObject({
    parts: [{ kind: 'tool-call', name: 'weather', json: '{"location":"San Francisco"}' }],
    finish: 'tool-calls',
  })
  const verbatim = reader(false).whole(recorded('openai-responses/azure-text.json'))
  expect(verbatim).toMatchObject({
    kind: 'content',
    complete: true,
    usage: { inputTokens: expect.any(Number) as number },
  })
  expect(verbatim.text.length).toBe(verbatim.written)
})

test('any answer survives being written as a stream and read again, however the network cuts it', () => {
  fc.assert(
    fc.property(arbitraryResponse(), fc.nat(), (events, cut) => {
      const bytes = streamed(events)
      expect(collected(eventsOf(openAiResponses, cutAt(bytes, cut % bytes.length)))).toEqual(collected(events))
    }),
  )
})

test('any answer survives being written whole and read again', () => {
  fc.assert(
    fc.property(arbitraryResponse(), (events) => {
      expect(collected(reader().whole(whole(events)).events)).toEqual(collected(events))
    }),
  )
})

test('the response at the end of any stream is the plain answer', () => {
  fc.assert(
    fc.property(arbitraryResponse(), (events) => {
      const withoutIds = (response: unknown) =>
        JSON.parse(JSON.stringify(response).replace(/(msg|rs|fc)_\w{26}/g, '$1'))
      const last = sseOf(streamed(events)).at(-1)?.data as { response: unknown }
      expect(withoutIds(last.response)).toEqual(withoutIds(JSON.parse(whole(events).toString())))
    }),
  )
})

test('any stream that is written keeps to the grammar', () => {
  fc.assert(
    fc.property(arbitraryResponse(), (events) => {
      const checker = openAiResponses.createChecker()
      for (const { event, data } of sseOf(streamed(events))) expect(checker.see(event, data)).toBeNull()
      expect(checker.end()).toBeNull()
    }),
  )
})

test('a stream has each event once and in order, under its own name', () => {
  const events: AnswerEvent[] = [
    START,
    { kind: 'reasoning', choice: 0, text: 'Hm', id: 'rs_1' },
    { kind: 'reasoning-proof', choice: 0, encrypted: markProof('openai', 'gAAAA') },
    { kind: 'text', choice: 0, text: 'Let me', id: 'msg_1' },
    { kind: 'refusal', choice: 0, text: 'No' },
    { kind: 'tool-call', choice: 0, id: 'call_1', name: 'f', itemId: 'fc_1' },
    { kind: 'tool-arguments', choice: 0, json: '{"x":1}' },
    { kind: 'tool-call', choice: 0, id: 'call_2', name: 'g' },
    finish('tool-calls'),
  ]
  const told = sseOf(streamed(events))
  expect(told.map(({ event, data }) => [event, (data as { output_index?: number }).output_index])).toEqual([
    ['response.created', undefined],
    ['response.in_progress', undefined],
    ['response.output_item.added', 0],
    ['response.reasoning_summary_part.added', 0],
    ['response.reasoning_summary_text.delta', 0],
    ['response.reasoning_summary_text.done', 0],
    ['response.reasoning_summary_part.done', 0],
    ['response.output_item.done', 0],
    ['response.output_item.added', 1],
    ['response.content_part.added', 1],
    ['response.output_text.delta', 1],
    ['response.output_text.done', 1],
    ['response.content_part.done', 1],
    ['response.content_part.added', 1],
    ['response.refusal.delta', 1],
    ['response.refusal.done', 1],
    ['response.content_part.done', 1],
    ['response.output_item.done', 1],
    ['response.output_item.added', 2],
    ['response.function_call_arguments.delta', 2],
    ['response.function_call_arguments.done', 2],
    ['response.output_item.done', 2],
    ['response.output_item.added', 3],
    ['response.function_call_arguments.delta', 3],
    ['response.function_call_arguments.done', 3],
    ['response.output_item.done', 3],
    ['response.completed', undefined],
  ])
  expect(told.at(-1)?.data).toMatchObject({
    response: {
      id: 'resp_1',
      status: 'completed',
      instructions: 'Be brief.',
      output: [
        { id: 'rs_1', summary: [{ text: 'Hm' }], encrypted_content: 'gAAAA' },
        {
          id: 'msg_1',
          content: [
            { type: 'output_text', text: 'Let me' },
            { type: 'refusal', refusal: 'No' },
          ],
        },
        { id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '{"x":1}', status: 'completed' },
        { call_id: 'call_2', name: 'g', arguments: '{}' },
      ],
    },
  })
})

test('an answer that is not whole says so and why', () => {
  const last = (...events: AnswerEvent[]) =>
    sseOf(streamed([START, { kind: 'text', choice: 0, text: 'Once' }, ...events])).at(-1)
  const incomplete = (reason: string) => ({
    event: 'response.incomplete',
    data: { response: { status: 'incomplete', incomplete_details: { reason }, output: [{ status: 'incomplete' }] } },
  })
  expect(last(finish('length'))).toMatchObject(incomplete('max_output_tokens'))
  expect(last(finish('pause'))).toMatchObject(incomplete('max_output_tokens'))
  expect(last(finish('content-filter'))).toMatchObject(incomplete('content_filter'))
  expect(last(finish('refusal'))).toMatchObject(incomplete('content_filter'))
  expect(last(finish('stop'))).toMatchObject({
    event: 'response.completed',
    data: { response: { status: 'completed' } },
  })
})

test("another provider's proof of reasoning is kept with its mark, and one of nobody's is not", () => {
  const output = (proof: AnswerEvent) =>
    (
      JSON.parse(whole([START, { kind: 'reasoning', choice: 0, text: 'Hm' }, proof]).toString()) as {
        output: unknown[]
      }
    ).output
  expect(output({ kind: 'reasoning-proof', choice: 0, signature: 'midwatch:anthropic:abc' })).toMatchObject([
    { encrypted_content: 'midwatch:signed:anthropic:abc' },
  ])
  expect(output({ kind: 'reasoning-proof', choice: 0, signature: 'abc' })[0]).not.toHaveProperty('encrypted_content')
})

test('cached tokens are within the input, and unknown usage is not told', () => {
  const usage = {
    inputTokens: 10,
    cacheReadTokens: 90,
    cacheWriteTokens: 5,
    cacheWrite1hTokens: 3,
    outputTokens: 20,
    reasoningTokens: 4,
  }
  expect(JSON.parse(whole([START, finish('stop'), { kind: 'usage', usage }]).toString())).toMatchObject({
    usage: {
      input_tokens: 108,
      input_tokens_details: { cached_tokens: 90 },
      output_tokens: 20,
      output_tokens_details: { reasoning_tokens: 4 },
      total_tokens: 128,
    },
  })
  expect(JSON.parse(whole([START, finish('stop')]).toString())).not.toHaveProperty('usage')
})

test('items that a server mixes are told one after another, and what it only says at the end is not lost', () => {
  const of = (type: string, more: Record<string, unknown>) =>
    `data: ${JSON.stringify({ type: `response.${type}`, ...more })}\n\n`
  const call = (n: number, json = '') => ({
    output_index: n,
    item: { type: 'function_call', id: `fc_${n}`, call_id: `call_${n}`, name: `f${n}`, arguments: json },
  })
  const bytes = Buffer.from(
    [
      of('created', { response: { id: 'resp_1', model: 'm', created_at: 1 } }),
      of('output_item.added', call(0)),
      of('output_item.added', call(1)),
      of('function_call_arguments.delta', { output_index: 1, delta: '{"b":' }),
      of('function_call_arguments.delta', { output_index: 0, delta: '{"a":' }),
      of('output_item.done', call(1, '{"b":2}')),
      of('output_item.done', call(0, '{"a":1}')),
      of('completed', {
        response: { status: 'completed', output: [call(0).item, call(1).item, call(2, '{"c":3}').item] },
      }),
    ].join(''),
  )
  expect(collected(eventsOf(openAiResponses, [bytes])).choices[0]?.parts).toEqual([
    { kind: 'tool-call', id: 'call_0', name: 'f0', json: '{"a":1}' },
    { kind: 'tool-call', id: 'call_1', name: 'f1', json: '{"b":2}' },
    { kind: 'tool-call', id: 'call_2', name: 'f2', json: '{"c":3}' },
  ])
})

const failure = (bytes: Buffer): ProviderFailure => {
  try {
    framesOf(reader(false), [bytes])
  } catch (error) {
    if (error instanceof ProviderFailure) return error
    throw error
  }
  return expect.fail('it did not fail')
}

test('an error in the stream is a failure of the provider, by its kind, with its own event for the caller', () => {
  const recordedError = failure(file('error.chunks.txt'))
  expect(recordedError.kind).toBe('upstream_rate_limited')
  expect(Buffer.from(recordedError.detail.event ?? []).toString()).toContain('insufficient_quota')
  const event = (data: unknown) => Buffer.from(`data: ${JSON.stringify(data)}\n\n`)
  expect(
    failure(event({ type: 'error', code: 'context_length_exceeded', message: 'too long', param: null })).kind,
  ).toBe('upstream_context_length')
  expect(
    failure(event({ type: 'response.failed', response: { error: { code: 'server_error', message: 'sorry' } } })).kind,
  ).toBe('upstream_5xx')
  expect(() =>
    reader().whole(Buffer.from('{"status":"failed","error":{"code":"server_error","message":"sorry"}}')),
  ).toThrow(/sorry/)
  expect(() => reader().whole(Buffer.from('{"status":"queued","output":[]}'))).toThrow(/queued/)
})

test('an error of ours ends a stream as an error, flat as the document has it and nested as the SDK reads it', () => {
  const [event] = sseOf(openAiResponses.errorEvent(new AppError('upstream', 'It broke off.'), 'req_1'))
  expect(event).toMatchObject({
    event: 'error',
    data: {
      type: 'error',
      code: 'upstream',
      message: 'It broke off.',
      param: null,
      error: { message: 'It broke off.' },
    },
  })
  const checker = openAiResponses.createChecker()
  expect(checker.see(event?.event ?? null, event?.data)).toBeNull()
  expect(checker.end()).toBeNull()
  expect(checker.see(null, { type: 'response.completed' })).toMatch(/after the end/)
})

test.each([
  ['a number out of turn', ['response.created', { sequence_number: 3 }]],
  ['another beginning', ['response.in_progress', {}]],
])('the checker finds %s', (_what, [type, more]) => {
  const event = { type, sequence_number: 0, ...(more as object) }
  expect(openAiResponses.createChecker().see(null, event)).not.toBeNull()
})

test('no two answers have an id in common, whatever their providers called them', () => {
  const answer = (): { id: string; output: { id: string }[] } =>
    JSON.parse(
      whole([
        { ...START, id: 'chatcmpl-123' },
        { kind: 'reasoning', choice: 0, text: 'Hm.', id: '0' },
        { kind: 'text', choice: 0, text: 'Yes.', id: '1' },
        finish('stop'),
      ]).toString(),
    )
  const ids = [answer(), answer()].flatMap(({ id, output }) => [id, ...output.map((item) => item.id)])
  expect(new Set(ids).size).toBe(6)
  expect(ids.map((id) => id.split('_')[0])).toEqual(['resp', 'rs', 'msg', 'resp', 'rs', 'msg'])
})
