// Anthropic's counting of tokens: a question about a conversation that is answered with one number, never streamed, and
// costs nothing. Only Anthropic can answer it; no other dialect has it, so it is never translated.
import { Buffer } from 'node:buffer'
import { formatSse } from '../../core/sse.ts'
import { AppError } from '../../core/errors.ts'
import type { Usage } from '../../llm/chat.ts'
import type { AnswerReader, AnswerWriter, Dialect } from '../../llm/dialect.ts'
import { NO_BYTES, NO_EVENTS } from '../../llm/frames.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import { anthropicErrorBody } from '../anthropic-error.ts'
import { failureFromError } from '../anthropic-messages/failures.ts'
import { readCountRequest } from '../anthropic-messages/read-request.ts'
import { upstreamBody } from '../anthropic-messages/upstream-body.ts'
import { countOf, isObject } from '../json.ts'

export const anthropicCountTokens: Dialect = {
  name: 'anthropic-count-tokens',
  endpoint: '/v1/messages/count_tokens',
  read: readCountRequest,
  upstreamBody,
  writeRequest: () => {
    throw new AppError('internal', 'a count of tokens is never translated')
  },
  createReader: () => READER,
  createWriter: () => WRITER,
  createChecker: () => ({ see: () => 'a count is no stream', end: () => null }),
  endMark: NO_BYTES,
  errorBody: anthropicErrorBody,
  errorEvent: (error, requestId) =>
    Buffer.from(formatSse(JSON.stringify(anthropicErrorBody(error, requestId)), 'error')),
}

const FREE: Usage = {
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  cacheWrite1hTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
}

const noStream = (): never => {
  throw new ProviderFailure('upstream_malformed', 'it answered a count of tokens with a stream')
}

const READER: AnswerReader = {
  see: noStream,
  seeRest: noStream,
  whole: (body) => {
    let answer: unknown
    try {
      answer = JSON.parse(body.toString('utf8'))
    } catch (error) {
      throw new ProviderFailure('upstream_malformed', 'the answer is not JSON', { cause: error })
    }
    if (isObject(answer) && answer['error'] !== undefined) throw failureFromError(answer)
    if (!isObject(answer) || countOf(answer['input_tokens']) === null) {
      throw new ProviderFailure('upstream_malformed', 'the answer holds no count')
    }
    return {
      kind: 'content',
      bytes: body,
      events: NO_EVENTS,
      text: '',
      written: 0,
      usage: FREE,
      model: null,
      complete: true,
    }
  },
}

const WRITER: AnswerWriter = { write: () => NO_BYTES, end: () => NO_BYTES, whole: () => Buffer.alloc(0) }
