import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../core/secret.ts'
import { openAiChat } from '../../dialects/openai-chat/dialect.ts'
import { openAiResponses } from '../../dialects/openai-responses/dialect.ts'
import { recorded } from '../../dialects/testing/answers.ts'
import type { Ask } from '../../llm/dialect.ts'
import type { Provider } from '../../llm/provider.ts'
import { describeProvider, SECRET } from '../contract.ts'
import { type Peer, startPeer } from '../testing/peer.ts'
import { createAzureProvider } from './provider.ts'

const text = recorded('openai-chat/azure-text.chunks.txt')
const half = text.subarray(0, text.lastIndexOf('data: ', text.lastIndexOf('"finish_reason":"stop"')))
const create = (origin: string, apiVersion?: string): Provider =>
  createAzureProvider({ name: 'az', baseUrl: origin, apiKey: new Secret(SECRET), apiVersion, headers: {} })
const chat = (stream: boolean): Ask =>
  openAiChat.read(Buffer.from(JSON.stringify({ model: 'fast', stream, messages: [{ role: 'user', content: 'Hi' }] })))

/** As Azure tells that its filter stopped a prompt. */
const FILTERED = JSON.stringify({
  error: {
    message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    type: null,
    param: 'prompt',
    code: 'content_filter',
    status: 400,
    innererror: {
      code: 'ResponsibleAIPolicyViolation',
      content_filter_result: { violence: { filtered: true, severity: 'high' } },
    },
  },
})

describeProvider({
  name: 'Azure',
  create: (origin) => create(origin, '2024-10-21'),
  model: 'mine',
  streamType: 'text/event-stream',
  recorded: [
    {
      what: 'text',
      stream: true,
      body: text,
      said: [{ kind: 'start' }, { kind: 'text' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage' }],
    },
  ],
  refused: [
    { what: 'what its filter stops', status: 400, body: FILTERED, kind: 'upstream_content_policy', told: true },
    {
      what: 'a key it does not know',
      status: 401,
      body: JSON.stringify({ error: { code: '401', message: 'Access denied due to invalid subscription key.' } }),
      kind: 'upstream_auth',
      told: false,
    },
    {
      what: 'a deployment that is not there',
      status: 404,
      body: JSON.stringify({ error: { code: 'DeploymentNotFound', message: 'The API deployment does not exist.' } }),
      kind: 'upstream_4xx',
      told: false,
    },
    {
      what: 'a rate limit that says how long',
      status: 429,
      body: JSON.stringify({ error: { code: '429', message: 'Requests have exceeded the call rate limit.' } }),
      headers: { 'retry-after': '7' },
      retryAfterSeconds: 7,
      kind: 'upstream_rate_limited',
      told: false,
    },
  ],
  errorInStream: {
    body: Buffer.concat([half, Buffer.from('data: {"error":{"code":"server_error","message":"Oops"}}\n\n')]),
    kind: 'upstream_5xx',
  },
  malformedStream: Buffer.concat([half, Buffer.from('data: {"choices":[{"delta":{"con\n\n')]),
  own: chat,
})

describe('at Azure', () => {
  let peer: Peer
  beforeEach(async () => {
    peer = await startPeer()
    peer.answer((response) => void response.end('{"choices":[{"message":{"content":"Hi"}}],"output":[]}'))
  })
  afterEach(() => peer.stop())

  const call = async (provider: Provider, ask: Ask, verbatim = true) => {
    const sink = { take: () => undefined, connected: () => undefined }
    await provider.call({ ask, model: 'my deploy', verbatim, requestId: 'r' }, sink, new AbortController().signal)
    await provider.stop()
    return peer.received.at(-1)
  }

  test('the v1 API has the deployment in the body, and both APIs', async () => {
    const provider = create(`${peer.origin}/openai/v1/`)
    expect(provider.speaks).toEqual(new Set(['openai-chat', 'openai-responses', 'openai-embeddings']))
    const asked = await call(provider, chat(false))
    expect(asked?.path).toBe('/openai/v1/chat/completions')
    expect(asked?.headers).toMatchObject({ 'api-key': SECRET })
    expect(asked?.headers).not.toHaveProperty('authorization')
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({ model: 'my deploy' })
    const ask = openAiResponses.read(Buffer.from('{"model":"fast","input":"Hi"}'))
    expect((await call(create(peer.origin), ask))?.path).toBe('/openai/v1/responses')
  })

  test('the classic API has the deployment in the path, its version in the query, and only chat', async () => {
    const provider = create(peer.origin, '2024-10-21')
    expect(provider.speaks).toEqual(new Set(['openai-chat', 'openai-embeddings']))
    const asked = await call(provider, chat(false))
    expect(asked?.path).toBe('/openai/deployments/my%20deploy/chat/completions?api-version=2024-10-21')
  })

  test('a limit of tokens has the name that every deployment takes', async () => {
    const ask = openAiResponses.read(Buffer.from('{"model":"fast","input":"Hi","max_output_tokens":99}'))
    const asked = await call(create(peer.origin, '2024-10-21'), ask, false)
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({ max_completion_tokens: 99, messages: [{ content: 'Hi' }] })
  })
})
