// How OpenAI tells an error, in the shape that its clients parse.
import { type AppError, type ErrorCode, ERRORS } from '../core/errors.ts'

export function openAiErrorBody(error: AppError): { readonly error: Readonly<Record<string, unknown>> } {
  return {
    error: {
      message: error.message,
      type: openAiType(error.code),
      param: error.field ?? null,
      code: error.code,
    },
  }
}

function openAiType(code: ErrorCode): string {
  if (code === 'unauthenticated') return 'authentication_error'
  if (code === 'forbidden') return 'permission_error'
  if (code === 'limited') return 'rate_limit_error'
  return ERRORS[code].status >= 500 ? 'server_error' : 'invalid_request_error'
}
