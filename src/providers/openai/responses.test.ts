import { Secret } from '../../core/secret.ts'
import { openAiResponses } from '../../dialects/openai-responses/dialect.ts'
import { recorded } from '../../dialects/testing/answers.ts'
import { describeProvider, type Refused, SECRET } from '../contract.ts'
import { createOpenAiProvider } from './provider.ts'

const text = recorded('openai-responses/azure-text.chunks.txt', true)
const half = text.subarray(0, text.lastIndexOf('event: response.output_text.done'))
const error = (message: string, code: string) =>
  JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } })
const refused = (what: string, status: number, code: string, kind: Refused['kind'], told: boolean): Refused => ({
  what,
  status,
  body: error(`It said ${code}.`, code),
  kind,
  told,
})

describeProvider({
  name: 'OpenAI that is asked for Responses',
  create: (origin) =>
    createOpenAiProvider({ name: 'gpt', baseUrl: `${origin}/v1`, apiKey: new Secret(SECRET), api: 'responses' }),
  model: 'gpt-4o',
  foreign: 'anthropic-messages',
  streamType: 'text/event-stream',
  recorded: [
    {
      what: 'plain',
      stream: false,
      body: recorded('openai-responses/azure-text.json'),
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
      body: recorded('openai-responses/azure-tool-call.chunks.txt', true),
      said: [
        { kind: 'start' },
        { kind: 'tool-call' },
        { kind: 'tool-arguments' },
        { kind: 'finish', reason: 'tool-calls' },
        { kind: 'usage' },
      ],
    },
  ],
  refused: [
    refused('a bad request', 400, 'invalid_value', 'upstream_4xx', true),
    refused('a prompt that is too long', 400, 'context_length_exceeded', 'upstream_context_length', true),
    refused('what its rules forbid', 400, 'content_filter', 'upstream_content_policy', true),
    refused('a key it does not know', 401, 'invalid_api_key', 'upstream_auth', false),
    refused('a rate limit', 429, 'rate_limit_exceeded', 'upstream_rate_limited', false),
    refused('trouble', 500, 'server_error', 'upstream_5xx', false),
  ],
  errorInStream: {
    body: recorded('openai-responses/error.chunks.txt', true),
    kind: 'upstream_rate_limited',
  },
  malformedStream: Buffer.concat([half, Buffer.from('data: {"type":"response.output_text.delta","del\n\n')]),
  own: (stream) => openAiResponses.read(Buffer.from(JSON.stringify({ model: 'fast', stream, input: 'Hi' }))),
})
