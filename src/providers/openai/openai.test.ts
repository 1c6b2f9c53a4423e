import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Secret } from '../../core/secret.ts'
import { readChatRequest } from '../../dialects/openai-chat/read-request.ts'
import { recorded } from '../../dialects/testing/answers.ts'
import { describeProvider, type Refused, SECRET } from '../contract.ts'
import { createOpenAiProvider } from './provider.ts'

const plain = readFileSync(join(import.meta.dirname, '../../dialects/fixtures/openai-chat/openai-text.json'))

const error = (message: string, type: string, code: string | null = null) =>
  JSON.stringify({ error: { message, type, param: null, code } })

const refused = (what: string, status: number, body: string, kind: Refused['kind'], told = false): Refused => ({
  what,
  status,
  body,
  kind,
  told,
})

const text = recorded('openai-chat/azure-text.chunks.txt')
const half = text.subarray(0, text.lastIndexOf('data: ', text.lastIndexOf('"finish_reason":"stop"')))

describeProvider({
  name: 'OpenAI',
  create: (origin) => createOpenAiProvider({ name: 'gpt', baseUrl: `${origin}/v1`, apiKey: new Secret(SECRET) }),
  model: 'gpt-4o',
  streamType: 'text/event-stream',
  recorded: [
    {
      what: 'plain',
      stream: false,
      body: plain,
      said: [{ kind: 'start' }, { kind: 'text' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage' }],
    },
    {
      what: 'text',
      stream: true,
      body: text,
      said: [{ kind: 'start' }, { kind: 'text' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage' }],
    },
    {
      what: 'tools',
      stream: true,
      body: recorded('openai-chat/xai-tool-call.chunks.txt'),
      said: [
        { kind: 'start' },
        { kind: 'reasoning' },
        { kind: 'tool-call' },
        { kind: 'tool-arguments' },
        { kind: 'finish', reason: 'tool-calls' },
        { kind: 'usage' },
      ],
    },
  ],
  refused: [
    refused('a bad request', 400, error('temperature is odd', 'invalid_request_error'), 'upstream_4xx', true),
    refused(
      'a prompt that is too long',
      400,
      error("This model's maximum context length is 8192 tokens", 'invalid_request_error', 'context_length_exceeded'),
      'upstream_context_length',
      true,
    ),
    refused(
      'what its rules forbid',
      400,
      error('Your request was rejected', 'invalid_request_error', 'content_filter'),
      'upstream_content_policy',
      true,
    ),
    refused('a key it does not know', 401, error('Incorrect API key', 'invalid_request_error'), 'upstream_auth'),
    refused('a model that is not there', 404, error('no such model', 'invalid_request_error'), 'upstream_4xx'),
    refused('a rate limit', 429, error('Slow down', 'requests'), 'upstream_rate_limited'),
    {
      ...refused('a rate limit that says how long', 429, error('Slow down', 'requests'), 'upstream_rate_limited'),
      headers: { 'retry-after-ms': '1500' },
      retryAfterSeconds: 1.5,
    },
    refused('trouble', 500, error('Oops', 'server_error'), 'upstream_5xx'),
    refused('overload', 503, 'Busy', 'upstream_5xx'),
  ],
  errorInStream: {
    body: Buffer.concat([half, Buffer.from(`data: ${error('Overloaded', 'server_error')}\n\n`)]),
    kind: 'upstream_5xx',
  },
  malformedStream: Buffer.concat([half, Buffer.from('data: {"choices":[{"delta":{"con\n\n')]),
  own: (stream) =>
    readChatRequest(
      Buffer.from(JSON.stringify({ model: 'fast', stream, messages: [{ role: 'user', content: 'Hi' }] })),
    ),
})
