// OpenAI's chat completions, both ways.
import { Buffer } from 'node:buffer'
import { formatSse } from '../../core/sse.ts'
import type { Dialect } from '../../llm/dialect.ts'
import { openAiErrorBody } from '../openai-error.ts'
import { ChatChecker } from './checker.ts'
import { ChatReader } from './reader.ts'
import { readChatRequest } from './read-request.ts'
import { upstreamBody } from './upstream-body.ts'
import { writeChatRequest } from './write-request.ts'
import { ChatWriter } from './writer.ts'

export const openAiChat: Dialect = {
  name: 'openai-chat',
  endpoint: '/v1/chat/completions',
  read: readChatRequest,
  upstreamBody,
  writeRequest: writeChatRequest,
  createReader: (options) => new ChatReader(options),
  createWriter: (ask) => new ChatWriter(ask),
  createChecker: (options = { formal: true }) => new ChatChecker(options),
  endMark: Buffer.from('data: [DONE]\n\n'),
  errorBody: (error) => openAiErrorBody(error),
  errorEvent: (error) => Buffer.from(formatSse(JSON.stringify(openAiErrorBody(error)))),
}
