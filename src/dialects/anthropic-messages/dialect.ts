// Anthropic's Messages, both ways.
import { Buffer } from 'node:buffer'
import { formatSse } from '../../core/sse.ts'
import type { Dialect } from '../../llm/dialect.ts'
import { anthropicErrorBody } from '../anthropic-error.ts'
import { MessagesChecker } from './checker.ts'
import { MessagesReader } from './reader.ts'
import { readMessagesRequest } from './read-request.ts'
import { upstreamBody } from './upstream-body.ts'
import { writeMessagesRequest } from './write-request.ts'
import { MessagesWriter } from './writer.ts'

export const anthropicMessages: Dialect = {
  name: 'anthropic-messages',
  endpoint: '/v1/messages',
  read: readMessagesRequest,
  upstreamBody,
  writeRequest: writeMessagesRequest,
  createReader: (options) => new MessagesReader(options),
  createWriter: (ask) => new MessagesWriter(ask),
  createChecker: () => new MessagesChecker(),
  endMark: Buffer.from(formatSse('{"type":"message_stop"}', 'message_stop')),
  errorBody: anthropicErrorBody,
  errorEvent: (error, requestId) =>
    Buffer.from(formatSse(JSON.stringify(anthropicErrorBody(error, requestId)), 'error')),
}
