// What the gateway asks of a provider. One answer is a stream of frames, also the plain one (a single frame). Frames are
// pushed, in the same turn in which the network delivers them: nothing on the way costs a promise a chunk.
import type { Ask, Demand, DialectName } from './dialect.ts'
import type { Frame } from './frames.ts'

export interface ProviderCall {
  readonly ask: Ask
  /** The model as the provider names it. */
  readonly model: string
  /** Frames carry the provider's bytes; only where it speaks the ask's dialect. Else they carry events. */
  readonly verbatim: boolean
  readonly requestId: string
  /** The answer is to go on behind this text of an assistant; only where the provider takes a prefill. */
  readonly prefill?: string | undefined
  /** Headers of the caller that belong to its dialect (`PASSED_HEADERS`): for a provider that speaks it. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** To which trace it belongs, where there are traces: a header of that name. */
  readonly traceparent?: string | undefined
}

/** What callers say of a request in its headers and not in its body. */
export const PASSED_HEADERS = ['anthropic-version', 'anthropic-beta'] as const

/** Whoever takes the frames of one call. */
export interface FrameSink {
  /**
   * Frames in order, as the network delivers them; an empty batch says that something came, but nothing whole. A promise
   * asks the provider to read no more until it resolves. What it throws ends the call, and is what the call throws.
   */
  take(frames: readonly Frame[]): Promise<void> | undefined
  /** The connection stands and the request is on its way: what is waited for now is the answer. */
  connected(): void
}

export interface Provider {
  readonly name: string
  /** Dialects that it answers verbatim. */
  readonly speaks: ReadonlySet<DialectName>
  /** What it cannot do for anybody. */
  readonly lacks: ReadonlySet<Demand>
  /** Whether this model goes on behind an assistant's message that ends the conversation. */
  takesPrefill(model: string): boolean
  /**
   * Resolves when the provider closed the answer in order, or sent the dialect's end mark. Throws ProviderFailure; when
   * `signal` aborts, the call to the provider is ended and the signal's reason thrown. A plain answer is complete, valid JSON.
   */
  call(call: ProviderCall, sink: FrameSink, signal: AbortSignal): Promise<void>
  /** Closes the connections. */
  stop(): Promise<void>
}

export const FAILURE_KINDS = [
  'untranslatable', // what is asked cannot be said to it
  'upstream_4xx', // it refused the request itself
  'upstream_context_length', // the request is too long for this model
  'upstream_content_policy', // its rules forbid the request
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
  /** What it says of the caller's request, in its own words, for the caller to read in any dialect. */
  readonly publicMessage?: string
  /** The provider's own answer, where it is about the caller's request and in the caller's dialect. */
  readonly reply?: { readonly status: number; readonly body: Buffer } | undefined
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
