// OpenAI's embeddings: one plain answer of vectors, never streamed.
import { formatSse } from '../../core/sse.ts'
import { layoutOf, splice } from '../../core/json-members.ts'
import { AppError } from '../../core/errors.ts'
import type { Ask, Dialect, Upstream } from '../../llm/dialect.ts'
import { NO_BYTES } from '../../llm/frames.ts'
import type { NeutralRequest } from '../../llm/request.ts'
import { given, jsonBytes } from '../json.ts'
import { openAiErrorBody } from '../openai-error.ts'
import { readEmbeddingsRequest } from './read-request.ts'
import { EmbeddingsReader } from './reader.ts'
import { EmbeddingsWriter } from './writer.ts'

export const openAiEmbeddings: Dialect = {
  name: 'openai-embeddings',
  endpoint: '/v1/embeddings',
  read: readEmbeddingsRequest,
  upstreamBody,
  writeRequest,
  createReader: ({ decode, ask }) => new EmbeddingsReader({ decode, ask }),
  createWriter: (ask) => new EmbeddingsWriter(ask),
  createChecker: () => ({ see: () => 'an embeddings answer is no stream', end: () => null }),
  endMark: NO_BYTES,
  errorBody: (error) => openAiErrorBody(error),
  errorEvent: (error) => Buffer.from(formatSse(JSON.stringify(openAiErrorBody(error)))),
}

/** The caller's bytes with another model's name in them. */
function upstreamBody({ body }: Ask, { model }: Upstream): Buffer {
  const names = layoutOf(body).members.filter(({ key }) => key === 'model')
  return splice(
    body,
    names.map(({ start, end }) => ({ start, end, text: JSON.stringify(model) })),
  )
}

function writeRequest(request: NeutralRequest, { model }: Upstream): Buffer {
  if (request.kind !== 'embeddings') throw new AppError('internal', 'a chat cannot be asked as embeddings')
  const { inputs, dimensions, user } = request
  return jsonBytes({ model, input: inputs, encoding_format: 'float', ...given({ dimensions, user }) })
}
