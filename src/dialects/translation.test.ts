// What has to survive from one dialect to another and back, over the turns of a conversation.
import { expect, test } from 'vitest'
import type { DialectName } from '../llm/dialect.ts'
import { writeConverse } from '../providers/bedrock/write-request.ts'
import { ConverseReader } from '../providers/bedrock/reader.ts'
import { GeminiReader } from '../providers/gemini/reader.ts'
import { writeGenerateContent } from '../providers/gemini/write-request.ts'
import type { AnswerEvent } from '../llm/events.ts'
import type { NeutralChat } from '../llm/request.ts'
import { DIALECT } from './all.ts'

const dialect = (name: DialectName) => DIALECT[name] ?? expect.fail(`no ${name}`)
const read = (name: DialectName, body: string | object) =>
  dialect(name).read(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)))
const neutral = (name: DialectName, body: string | object) => read(name, body).neutral() as NeutralChat
const written = (from: DialectName, to: DialectName, body: string | object, model: string): string =>
  dialect(to).writeRequest(read(from, body).neutral(), { model, stream: false }).toString()
const parsed = (json: string) => JSON.parse(json) as Record<string, unknown>
const decoded = (name: DialectName, answer: string | object) =>
  dialect(name)
    .createReader({ decode: true, choices: 1 })
    .whole(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer))).events
const answered = (name: DialectName, body: object, events: readonly AnswerEvent[]): string => {
  const writer = dialect(name).createWriter(read(name, body))
  writer.write(events)
  return writer.whole().toString()
}

const MESSAGES = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'x' }] }
const ARGUMENTS = '{"id":12345678901234567890}'

test('thinking that was signed unseen comes back to Anthropic as thinking, by way of Responses', () => {
  const thought = { type: 'thinking', thinking: '', signature: 'SIG' }
  const hidden = { type: 'redacted_thinking', data: 'DATA' }
  const call = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }
  const { output } = parsed(
    answered(
      'openai-responses',
      { model: 'm', input: 'x' },
      decoded('anthropic-messages', {
        id: 'msg_1',
        role: 'assistant',
        model: 'c',
        content: [thought, hidden, call],
        stop_reason: 'tool_use',
        usage: {},
      }),
    ),
  )
  const input = [
    { role: 'user', content: 'x' },
    ...(output as object[]),
    { type: 'function_call_output', call_id: 'toolu_1', output: 'ok' },
  ]
  const body = parsed(written('openai-responses', 'anthropic-messages', { model: 'm', input }, 'claude-opus-5'))
  expect((body['messages'] as unknown[])[1]).toEqual({ role: 'assistant', content: [thought, hidden, call] })
})

test('long numbers in what tools are called with keep their digits in every answer', () => {
  const messages = `{"id":"m","role":"assistant","model":"c","content":[{"type":"tool_use","id":"t","name":"f","input":${ARGUMENTS}}],"stop_reason":"tool_use","usage":{}}`
  const chat = {
    id: 'c',
    model: 'm',
    choices: [
      {
        index: 0,
        message: { tool_calls: [{ id: 't', type: 'function', function: { name: 'f', arguments: ARGUMENTS } }] },
        finish_reason: 'tool_calls',
      },
    ],
  }
  const gemini = Buffer.from(
    `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":${ARGUMENTS}}}]},"finishReason":"STOP"}]}`,
  )
  const converse = Buffer.from(
    `{"output":{"message":{"content":[{"toolUse":{"toolUseId":"t","name":"f","input":${ARGUMENTS}}}]}},"stopReason":"tool_use"}`,
  )
  const event = { event: null, data: gemini.toString(), bytes: gemini }
  for (const events of [
    decoded('anthropic-messages', messages),
    decoded('openai-chat', chat),
    new GeminiReader({ choices: 1 }).whole(gemini).events,
    new GeminiReader({ choices: 1 }).see(event).events,
    new ConverseReader('m', null).whole(converse).events,
  ]) {
    expect(events.find(({ kind }) => kind === 'tool-arguments')).toMatchObject({ json: ARGUMENTS })
    expect(answered('anthropic-messages', MESSAGES, events)).toContain(`"input":${ARGUMENTS}`)
  }
})

test('long numbers in what tools were called with keep their digits in every request', () => {
  const messages = `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":${ARGUMENTS}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":"r"}]}]}`
  const chat = written('anthropic-messages', 'openai-chat', messages, 'gpt-4o')
  expect(chat).toContain(JSON.stringify(ARGUMENTS))
  expect(written('openai-chat', 'anthropic-messages', chat, 'claude-opus-4-6')).toContain(`"input":${ARGUMENTS}`)
  expect(writeGenerateContent(neutral('openai-chat', chat), 'gemini-3-pro').toString()).toContain(`"args":${ARGUMENTS}`)
  expect(writeConverse(neutral('openai-chat', chat), 'amazon.nova-pro').body.toString()).toContain(
    `"input":${ARGUMENTS}`,
  )
})

test('Anthropic’s strict, which lets members be absent, is not told as OpenAI’s, which refuses that', () => {
  const asked = (required: string[]) => {
    const schema = { type: 'object', properties: { a: { type: 'string' } }, required, additionalProperties: false }
    const body = {
      ...MESSAGES,
      tools: [{ name: 'f', strict: true, input_schema: schema }],
      output_config: { format: { type: 'json_schema', schema } },
    }
    return parsed(written('anthropic-messages', 'openai-chat', body, 'gpt-4o'))
  }
  const strict = (strict: boolean) => ({
    tools: [{ function: { strict } }],
    response_format: { json_schema: { strict } },
  })
  expect(asked([])).toMatchObject(strict(false))
  expect(asked(['a'])).toMatchObject(strict(true))
})

test.each(['openai-chat', 'openai-responses'] as const)('a long name of a user is short enough for %s', (to) => {
  const named = (user_id: string) =>
    parsed(written('anthropic-messages', to, { ...MESSAGES, metadata: { user_id } }, 'gpt-4o'))['user'] as string
  expect(named('ann')).toBe('ann')
  expect(named('a'.repeat(150))).toHaveLength(64)
  expect(named('a'.repeat(150))).toBe(named('a'.repeat(150)))
  expect(named('a'.repeat(150))).not.toBe(named('a'.repeat(151)))
})
