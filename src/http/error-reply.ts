// The one place that turns a failure into an answer, in the shape that the called dialect's clients parse.
import type { AppError } from '../core/errors.ts'
import { anthropicErrorBody } from '../dialects/anthropic-error.ts'
import { openAiErrorBody } from '../dialects/openai-error.ts'
import type { ErrorDialect, Reply } from './exchange.ts'

/** `basicToo`: some senders give a user and a password only once they are asked for them. */
export function errorReply(error: AppError, dialect: ErrorDialect, requestId: string, basicToo = false): Reply {
  const headers: Record<string, string> = {}
  if (error.retryAfterSeconds !== undefined) headers['retry-after'] = String(Math.ceil(error.retryAfterSeconds))
  else if (error.status === 429 || error.status === 503) headers['retry-after'] = '1'
  if (error.code === 'unauthenticated')
    headers['www-authenticate'] = `Bearer realm="midwatch"${basicToo ? ', Basic realm="midwatch"' : ''}`
  return { status: error.status, headers, json: errorBody(error, dialect, requestId) }
}

function errorBody(error: AppError, dialect: ErrorDialect, requestId: string): unknown {
  switch (dialect) {
    case 'anthropic':
      return anthropicErrorBody(error, requestId)
    case 'openai':
      return openAiErrorBody(error)
    case 'midwatch':
      return {
        error: {
          code: error.code,
          message: error.message,
          ...(error.field === undefined ? {} : { field: error.field }),
          requestId,
        },
      }
  }
}
