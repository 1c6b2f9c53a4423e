import { NO_USAGE } from '../llm/chat.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LOCAL_CALLER } from '../core/caller.ts'
import { openAiChat } from '../dialects/openai-chat/dialect.ts'
import { createChatModel } from './chat-model.ts'
import { type Stack, startStack } from './testing/stack.ts'
import { answersStatus, chunk, cutsAfter, startUpstream, stream, type Upstream } from './testing/upstream.ts'

let upstream: Upstream
let stack: Stack

beforeEach(async () => {
  upstream = await startUpstream()
  stack = await startStack({
    yaml: `
providers: { main: { kind: openai, baseUrl: "${upstream.baseUrl}" } }
models: { fast: { targets: [{ provider: main, model: gpt-real, price: { inputUsd: 1, outputUsd: 1 } }] } }
`,
  })
})

afterEach(async () => {
  await stack.stop()
  await upstream.stop()
})

const model = () => createChatModel(stack.gateway, { ...LOCAL_CALLER, keyId: 'agent', name: 'on-call agent' })
const question = { model: 'fast', messages: [{ role: 'user' as const, content: 'Why?' }] }
const patient = () => new AbortController().signal

test('an answer is the stream collected, and the ledger says for what it was asked', async () => {
  const answer = await model().complete(
    {
      ...question,
      maxTokens: 9,
      temperature: 0,
      jsonSchema: { name: 'cause', schema: { type: 'object' } },
      purpose: 'incident inc_1',
    },
    patient(),
  )
  expect(answer).toEqual({
    text: 'Hello',
    model: 'gpt-real',
    usage: { ...NO_USAGE, inputTokens: 12, outputTokens: 5 },
    costMicroUsd: 17,
  })
  expect((await upstream.arrived(1)).body).toEqual({
    model: 'gpt-real',
    messages: question.messages,
    max_tokens: 9,
    temperature: 0,
    response_format: { type: 'json_schema', json_schema: { name: 'cause', schema: { type: 'object' }, strict: true } },
    stream: true,
    stream_options: { include_usage: true },
  })
  expect(await stack.rows()).toMatchObject([{ key_id: 'agent', purpose: 'incident inc_1', outcome: 'served' }])
  expect(await stack.metric('llm_tokens_total{model="fast",type="output"}')).toBe(5)
})

test('half an answer is a failure, never an answer', async () => {
  upstream.behave(cutsAfter(chunk({ content: 'Half' })))
  await expect(model().complete(question, patient())).rejects.toMatchObject({ code: 'upstream' })
})

test('a model that is not there is told by name', async () => {
  await expect(model().complete({ ...question, model: 'slow' }, patient())).rejects.toMatchObject({ code: 'not_found' })
})

test('what the provider finds wrong with the request is passed on', async () => {
  upstream.behave(answersStatus(400, { error: { message: 'context too long', type: 'invalid_request_error' } }))
  await expect(model().complete(question, patient())).rejects.toThrow('context too long')
})

test('giving up ends the call to the provider', async () => {
  upstream.behave(async ({ response }) => stream(response, [chunk({ content: 'Half' })]))
  const asker = new AbortController()
  const answer = model().complete(question, asker.signal)
  const asked = await upstream.arrived(1)
  asker.abort(new Error('enough'))
  await expect(answer).rejects.toThrow('enough')
  await asked.hungUp
  expect(await stack.rows()).toMatchObject([{ outcome: 'abandoned' }])
})

test('a stop waits for what is under way and takes nothing new', async () => {
  upstream.behave(() => undefined)
  const answer = model().complete(question, patient())
  const asked = await upstream.arrived(1)
  const stopped = stack.gateway.stop()
  await expect(model().complete(question, patient())).rejects.toMatchObject({ code: 'unavailable' })
  const call = { dialect: openAiChat, body: Buffer.from('{}'), caller: LOCAL_CALLER, requestId: 'r', signal: patient() }
  expect(await stack.gateway.serve(call, { begin: () => undefined, write: () => undefined })).toMatchObject({
    kind: 'refused',
    errorType: 'stopping',
    error: { code: 'unavailable' },
  })
  asked.response.writeHead(200, { 'content-type': 'text/event-stream' })
  asked.response.end(`${chunk({ content: 'In time' })}${chunk({}, { finish_reason: 'stop' })}data: [DONE]\n\n`)
  expect((await answer).text).toBe('In time')
  await stopped
  expect(await stack.rows()).toMatchObject([{ outcome: 'served' }])
})
