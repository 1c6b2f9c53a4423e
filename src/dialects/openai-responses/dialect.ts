// OpenAI's Responses, both ways. Its streams end with the event that holds the whole response; that event is the end mark,
// and there is no other.
import { Buffer } from 'node:buffer'
import { formatSse } from '../../core/sse.ts'
import type { Dialect } from '../../llm/dialect.ts'
import { NO_BYTES } from '../../llm/frames.ts'
import { openAiErrorBody } from '../openai-error.ts'
import { ResponsesChecker } from './checker.ts'
import { readResponsesRequest } from './read-request.ts'
import { ResponsesReader } from './reader.ts'
import { upstreamBody } from './upstream-body.ts'
import { writeResponsesRequest } from './write-request.ts'
import { ResponsesWriter } from './writer.ts'

export const openAiResponses: Dialect = {
  name: 'openai-responses',
  endpoint: '/v1/responses',
  read: readResponsesRequest,
  upstreamBody,
  writeRequest: writeResponsesRequest,
  createReader: (options) => new ResponsesReader(options),
  createWriter: (ask) => new ResponsesWriter(ask),
  createChecker: () => new ResponsesChecker(),
  endMark: NO_BYTES,
  errorBody: (error) => openAiErrorBody(error),
  errorEvent: (error) => {
    const told = openAiErrorBody(error)
    // Flat by OpenAI's document, nested as its servers send it and its SDK looks for it. The number of an event that was
    // written by nobody's writer is not known.
    const event = { type: 'error', ...told.error, sequence_number: 0, ...told }
    return Buffer.from(formatSse(JSON.stringify({ ...event, type: 'error' }), 'error'))
  },
}
