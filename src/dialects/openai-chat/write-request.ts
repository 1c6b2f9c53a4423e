// A body for a provider of OpenAI's chat API from a request in no dialect.
import { AppError } from '../../core/errors.ts'
import type { Upstream } from '../../llm/dialect.ts'
import type { NeutralRequest } from '../../llm/request.ts'

export function writeChatRequest(_request: NeutralRequest, _upstream: Upstream): Buffer {
  throw new AppError('internal', 'not yet')
}
