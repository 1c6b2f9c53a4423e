import { Secret } from '../../core/secret.ts'
import { readMessagesRequest } from '../../dialects/anthropic-messages/read-request.ts'
import { asEvent, recordedAnswer, recordedStream } from '../../dialects/anthropic-messages/testing/recorded.ts'
import { describeProvider, type Refused, SECRET } from '../contract.ts'
import { createAnthropicProvider } from './provider.ts'

const error = (type: string, message: string) =>
  JSON.stringify({ type: 'error', error: { type, message }, request_id: 'req_011' })

const refused = (
  what: string,
  status: number,
  type: string,
  message: string,
  kind: Refused['kind'],
  told = false,
): Refused => ({ what, status, body: error(type, message), kind, told })

const start = recordedStream('text').subarray(0, recordedStream('text').indexOf('event: content_block_stop'))

const BAD_CALL = Buffer.from(
  [
    {
      type: 'message_start',
      message: { id: 'msg_1', model: 'claude-opus-4-6', content: [], usage: { input_tokens: 5 } },
    },
    { type: 'content_block_start', index: 0, content_block: { type: 'tool_use', id: 'a', name: 'one', input: {} } },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"é": "漢🌊"}' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 'b', name: 'two', input: {} } },
    { type: 'content_block_stop', index: 1 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 9 } },
    { type: 'message_stop' },
  ]
    .map((value) => asEvent(value))
    .join(''),
)

describeProvider({
  name: 'Anthropic',
  create: (origin) =>
    createAnthropicProvider({
      name: 'claude',
      baseUrl: origin,
      apiKey: new Secret(SECRET),
      version: '2023-06-01',
      headers: { 'x-team': new Secret(SECRET) },
    }),
  model: 'claude-opus-4-6',
  streamType: 'text/event-stream; charset=utf-8',
  recorded: [
    {
      what: 'plain',
      stream: false,
      body: recordedAnswer('text'),
      said: [{ kind: 'start' }, { kind: 'text' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage' }],
    },
    {
      what: 'text',
      stream: true,
      body: recordedStream('text'),
      said: [{ kind: 'start' }, { kind: 'text' }, { kind: 'finish', reason: 'stop' }, { kind: 'usage' }],
    },
    {
      what: 'tools',
      stream: true,
      body: recordedStream('json-other-tool.1'),
      said: [
        { kind: 'start' },
        { kind: 'tool-call', name: 'weather' },
        { kind: 'tool-arguments', json: '{"location": "San Francisco"}' },
        { kind: 'finish', reason: 'tool-calls' },
        { kind: 'usage' },
      ],
    },
    {
      what: 'parallel tools',
      stream: true,
      body: BAD_CALL,
      said: [
        { kind: 'start' },
        { kind: 'tool-call', id: 'a' },
        { kind: 'tool-arguments', json: '{"é": "漢🌊"}' },
        { kind: 'tool-call', id: 'b' },
        { kind: 'tool-arguments', json: '{}' },
        { kind: 'finish', reason: 'tool-calls' },
        { kind: 'usage', usage: { inputTokens: 5, outputTokens: 9 } },
      ],
    },
    {
      what: 'reasoning',
      stream: true,
      body: recordedStream('clear-thinking.1'),
      said: [
        { kind: 'start' },
        { kind: 'reasoning' },
        { kind: 'reasoning-proof' },
        { kind: 'text', text: '925 ÷ 5 = 185' },
        { kind: 'finish' },
        { kind: 'usage' },
      ],
    },
  ],
  refused: [
    refused('a bad request', 400, 'invalid_request_error', 'max_tokens: must be above 0', 'upstream_4xx', true),
    refused(
      'a prefill that the model does not take',
      400,
      'invalid_request_error',
      'This model does not support assistant message prefill. The conversation must end with a user message.',
      'upstream_4xx',
      true,
    ),
    refused(
      'a prompt that is too long',
      400,
      'invalid_request_error',
      'prompt is too long: 210000 tokens > 200000 maximum',
      'upstream_context_length',
      true,
    ),
    refused(
      'a prompt that leaves too little room',
      400,
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000',
      'upstream_context_length',
      true,
    ),
    refused(
      'too many bytes',
      413,
      'request_too_large',
      'Request exceeds the maximum size',
      'upstream_context_length',
      true,
    ),
    refused(
      'what its rules forbid',
      400,
      'invalid_request_error',
      'Output blocked by content filtering policy',
      'upstream_content_policy',
      true,
    ),
    refused('an empty account', 400, 'invalid_request_error', 'Your credit balance is too low', 'upstream_auth'),
    refused('a key it does not know', 401, 'authentication_error', `invalid x-api-key`, 'upstream_auth'),
    refused('a key that may not', 403, 'permission_error', 'Not for you', 'upstream_auth'),
    refused('a bill', 402, 'billing_error', 'Pay first', 'upstream_auth'),
    refused('a model that is not there', 404, 'not_found_error', 'model: claude-x', 'upstream_4xx'),
    refused('a rate limit', 429, 'rate_limit_error', 'Slow down', 'upstream_rate_limited'),
    {
      ...refused('a rate limit that says how long', 429, 'rate_limit_error', 'Slow down', 'upstream_rate_limited'),
      headers: { 'retry-after': '12' },
      retryAfterSeconds: 12,
    },
    refused('trouble', 500, 'api_error', 'Internal server error', 'upstream_5xx'),
    refused('overload', 529, 'overloaded_error', 'Overloaded', 'upstream_5xx'),
    refused('a timeout', 504, 'timeout_error', 'Request timed out', 'upstream_timeout'),
    { what: 'a proxy in front of it', status: 502, body: '<html></html>', kind: 'upstream_5xx', told: false },
  ],
  errorInStream: {
    body: Buffer.concat([start, Buffer.from(`event: error\ndata: ${error('overloaded_error', 'Overloaded')}\n\n`)]),
    kind: 'upstream_5xx',
  },
  malformedStream: Buffer.concat([start, Buffer.from('event: content_block_delta\ndata: {"type":"content_bl\n\n')]),
  own: (stream) =>
    readMessagesRequest(
      Buffer.from(
        JSON.stringify({ model: 'fast', max_tokens: 9, stream, messages: [{ role: 'user', content: 'Hi' }] }),
      ),
    ),
})
