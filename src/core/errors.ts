// The one table of failures. A code fixes the HTTP status, whether trying again can help, and the sentence a
// stranger may read. The internal detail travels in `cause` and goes to the log, never to the client.

import { inspect } from 'node:util'

interface ErrorKind {
  readonly status: number
  readonly retryable: boolean
  /** Said when the thrower gives no public message of its own. */
  readonly publicMessage: string
}

export const ERRORS = {
  malformed: { status: 400, retryable: false, publicMessage: 'The request could not be understood.' },
  unauthenticated: {
    status: 401,
    retryable: false,
    publicMessage: 'No valid API key was given. Send it as "Authorization: Bearer KEY".',
  },
  forbidden: { status: 403, retryable: false, publicMessage: 'This key does not have the scope needed.' },
  not_found: { status: 404, retryable: false, publicMessage: 'There is nothing at this address.' },
  method_not_allowed: { status: 405, retryable: false, publicMessage: 'This address does not take this method.' },
  conflict: { status: 409, retryable: false, publicMessage: 'The state changed in the meantime. Load it again.' },
  unsupported_media: { status: 415, retryable: false, publicMessage: 'Send the body as application/json.' },
  too_large: { status: 413, retryable: false, publicMessage: 'The body is larger than this address accepts.' },
  content_blocked: { status: 422, retryable: false, publicMessage: 'The content rules do not allow this.' },
  limited: { status: 429, retryable: true, publicMessage: 'A limit is reached. Wait and try again.' },
  client_gone: { status: 499, retryable: false, publicMessage: 'The client closed the connection.' },
  internal: {
    status: 500,
    retryable: false,
    publicMessage: 'Something failed inside Midwatch. The log has the detail.',
  },
  upstream: { status: 502, retryable: true, publicMessage: 'The provider failed to answer.' },
  unavailable: { status: 503, retryable: true, publicMessage: 'Midwatch cannot answer right now. Try again shortly.' },
  deadline: { status: 504, retryable: true, publicMessage: 'The deadline passed before an answer was there.' },
  storage_full: {
    status: 507,
    retryable: true,
    publicMessage: 'The disk has no room left for files. Delete some that are not needed, or try again later.',
  },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERRORS

interface AppErrorOptions {
  /** The internal detail: logged, never sent. */
  readonly cause?: unknown
  /** The request's field at fault, as a path such as `messages.0.role`. */
  readonly field?: string
  /** Seconds for a `retry-after` header. */
  readonly retryAfterSeconds?: number
}

/** The only error that is thrown on purpose. `message` is public: what was wrong and what to do. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, message?: string, options: AppErrorOptions = {}) {
    super(message ?? ERRORS[code].publicMessage, { cause: options.cause })
    this.code = code
    this.field = options.field
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable
  }
}

/** Whatever was thrown, as an AppError; what we did not foresee becomes `internal` with the original as its cause. */
export function toAppError(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : new AppError('internal', undefined, { cause: thrown })
}

/** One line for a log or a terminal: the message, and the chain of causes behind it. */
export function describeError(thrown: unknown): string {
  const parts: string[] = []
  for (let at: unknown = thrown; at !== undefined && at !== null && parts.length < 6;) {
    parts.push(at instanceof Error ? at.message || at.name : typeof at === 'string' ? at : inspect(at))
    at = at instanceof Error ? at.cause : undefined
  }
  // A message of ours is a sentence; what caused it follows its colon, not its full stop.
  return parts.map((part, i) => (i < parts.length - 1 ? part.replace(/\.$/, '') : part)).join(': ')
}
