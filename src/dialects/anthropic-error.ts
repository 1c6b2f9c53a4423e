// How Anthropic tells an error, in the shape that its clients parse.
import type { AppError, ErrorCode } from '../core/errors.ts'

export interface AnthropicErrorBody {
  readonly type: 'error'
  readonly error: { readonly type: string; readonly message: string }
  readonly request_id: string
}

export function anthropicErrorBody(error: AppError, requestId: string): AnthropicErrorBody {
  return { type: 'error', error: { type: TYPES[error.code], message: error.message }, request_id: requestId }
}

const TYPES: Readonly<Record<ErrorCode, string>> = {
  malformed: 'invalid_request_error',
  unauthenticated: 'authentication_error',
  forbidden: 'permission_error',
  not_found: 'not_found_error',
  method_not_allowed: 'invalid_request_error',
  conflict: 'conflict_error',
  unsupported_media: 'invalid_request_error',
  too_large: 'request_too_large',
  content_blocked: 'invalid_request_error',
  limited: 'rate_limit_error',
  client_gone: 'api_error',
  internal: 'api_error',
  upstream: 'api_error',
  unavailable: 'overloaded_error',
  deadline: 'timeout_error',
  storage_full: 'api_error',
}
