import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requireOpenAiDocument } from '../../test/openai-document.ts'
import { AppError, ERRORS, type ErrorCode } from '../core/errors.ts'
import type { AnswerEvent } from '../llm/events.ts'
import { openAiChat } from './openai-chat/dialect.ts'
import { ChatWriter } from './openai-chat/writer.ts'
import { openAiResponses } from './openai-responses/dialect.ts'
import { ResponsesWriter } from './openai-responses/writer.ts'
import { arbitraryAnswer, recorded, sseOf } from './testing/answers.ts'
import { arbitraryRequest } from './testing/requests.ts'

const openai = requireOpenAiDocument()

/** A request with everything that an answer repeats. */
const BODY = Buffer.from(
  JSON.stringify({
    model: 'm',
    input: 'Hello',
    instructions: 'Be brief.',
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }],
    tool_choice: { type: 'function', name: 'f' },
    text: { format: { type: 'json_schema', name: 'out', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
    reasoning: { effort: 'high', summary: 'auto' },
    metadata: { a: 'b' },
    temperature: 0.5,
    max_output_tokens: 99,
    truncation: 'auto',
  }),
)

describe.skipIf(!openai)('by OpenAI’s own document', () => {
  const check = (schema: string, value: unknown) => expect(openai?.problemsOf(schema, value) ?? null).toBeNull()

  test('it finds what is wrong', () => {
    expect(openai?.problemsOf('CreateChatCompletionResponse', { id: 'c' })).toMatch(/choices/)
    expect(openai?.problemsOf('ResponseStreamEvent', { type: 'response.created' })).not.toBeNull()
  })

  test('every chat chunk and every plain chat answer is valid', () => {
    fc.assert(
      fc.property(arbitraryAnswer({ choices: 2 }), (events) => {
        const stream = new ChatWriter({ stream: true, wantsUsage: true })
        const bytes = Buffer.concat([stream.write(events), stream.end()])
        for (const { data } of sseOf(bytes)) if (data !== '[DONE]') check('CreateChatCompletionStreamResponse', data)
        const plain = new ChatWriter({ stream: false, wantsUsage: true })
        plain.write(events)
        check('CreateChatCompletionResponse', JSON.parse(plain.whole().toString()))
      }),
      { numRuns: 30 },
    )
  })

  test('every event of Responses and every plain response is valid', () => {
    const ends: AnswerEvent[][] = [
      [{ kind: 'finish', choice: 0, reason: 'length' }],
      [{ kind: 'finish', choice: 0, reason: 'content-filter' }],
      [
        { kind: 'reasoning', choice: 0, text: 'Hm' },
        { kind: 'reasoning-proof', choice: 0, signature: 'midwatch:anthropic:s' },
        { kind: 'reasoning-proof', choice: 0, encrypted: 'midwatch:anthropic:e' },
        { kind: 'text', choice: 0, text: 'Hi' },
        { kind: 'refusal', choice: 0, text: 'No' },
      ],
      [],
    ]
    const start: AnswerEvent = { kind: 'start', id: 'r', model: 'm', createdS: 7 }
    const answers = fc.oneof(arbitraryAnswer(), fc.constantFrom(...ends.map((end) => [start, ...end])))
    fc.assert(
      fc.property(answers, fc.constantFrom(BODY, Buffer.from('{"model":"m","input":"x"}')), (events, body) => {
        const stream = new ResponsesWriter({ stream: true, body })
        const bytes = Buffer.concat([stream.write(events), stream.end()])
        for (const { data } of sseOf(bytes)) check('ResponseStreamEvent', data)
        const plain = new ResponsesWriter({ stream: false, body })
        plain.write(events)
        check('Response', JSON.parse(plain.whole().toString()))
      }),
      { numRuns: 30 },
    )
  })

  test('every request that is written is valid', () => {
    fc.assert(
      fc.property(
        arbitraryRequest,
        fc.constantFrom('gpt-5', 'gpt-4o', 'qwen'),
        fc.boolean(),
        (request, model, stream) => {
          const upstream = { model, stream }
          check('CreateChatCompletionRequest', JSON.parse(openAiChat.writeRequest(request, upstream).toString()))
          check('CreateResponse', JSON.parse(openAiResponses.writeRequest(request, upstream).toString()))
        },
      ),
      { numRuns: 30 },
    )
  })

  test.each(Object.keys(ERRORS) as ErrorCode[])('the error %s is valid, as a body and in a stream', (code) => {
    const error = new AppError(code, undefined, { field: 'messages.0' })
    check('ErrorResponse', openAiChat.errorBody(error, 'r'))
    check('ErrorResponse', openAiResponses.errorBody(error, 'r'))
    check('ErrorResponse', sseOf(openAiChat.errorEvent(error, 'r'))[0]?.data)
    check('ResponseStreamEvent', sseOf(openAiResponses.errorEvent(error, 'r'))[0]?.data)
  })

  test('so is a recorded answer: the document is the one that its servers keep to', () => {
    check('CreateChatCompletionResponse', JSON.parse(recorded('openai-chat/openai-text.json').toString()))
  })
})
