// What the gateway asks of a provider. One answer is a stream of frames, also the plain one (a single frame); the
// stream ends normally when the provider closed it in order, and throws a ProviderFailure otherwise.
import type { Frame } from './frames.ts'

export interface ProviderCall {
  /** The dialect in which the caller speaks and wants to be answered. */
  readonly dialect: 'openai-chat'
  /** The caller's body as it came: JSON in that dialect. */
  readonly body: Buffer
  /** The model as the provider names it. */
  readonly model: string
  readonly stream: boolean
  /** How many alternative answers were asked for. */
  readonly choices: number
  readonly requestId: string
}

export interface Provider {
  readonly name: string
  /**
   * Frames in batches, as the network delivers them; an empty batch says that something came, but nothing whole. Throws ProviderFailure; when `signal` aborts, the call to the
   * provider is ended and the signal's reason thrown. The body of a plain answer is complete, valid JSON.
   */
  chat(call: ProviderCall, signal: AbortSignal): AsyncIterable<readonly Frame[]>
  /** Closes the connections. */
  stop(): Promise<void>
}

export const FAILURE_KINDS = [
  'upstream_4xx', // it refused the request itself
  'upstream_auth', // it does not take our key
  'upstream_rate_limited',
  'upstream_5xx',
  'upstream_timeout',
  'upstream_unreachable', // no connection
  'upstream_cut', // the connection broke, or the answer ended in the middle
  'upstream_malformed', // it answered something that is not its own protocol
] as const

export type FailureKind = (typeof FAILURE_KINDS)[number]

export interface FailureDetail {
  readonly status?: number
  readonly retryAfterSeconds?: number
  /** The provider's own answer, where it is about the caller's request and so is for the caller to read. */
  readonly reply?: { readonly status: number; readonly body: Buffer }
  /** An error event of the provider in the caller's dialect, where the stream had begun. */
  readonly event?: Uint8Array
  readonly cause?: unknown
}

export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure'
  readonly kind: FailureKind
  readonly detail: FailureDetail

  /** `message` is for our log: it may quote the provider. */
  constructor(kind: FailureKind, message: string, detail: FailureDetail = {}) {
    super(message, { cause: detail.cause })
    this.kind = kind
    this.detail = detail
  }
}
