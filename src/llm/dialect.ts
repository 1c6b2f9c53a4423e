// A dialect: one of the protocols in which callers speak and are answered, and in which some providers speak too. It
// reads and writes both directions, so that what goes in comes out the same on the other side.
//
//   caller ── read ──▶ Ask ── (same dialect) upstreamBody ────────────▶ provider
//                        └─── (another) neutral() ─▶ writeRequest ────▶ provider
//   caller ◀─────────── verbatim bytes ◀── reader (taps) ◀───────────── provider
//   caller ◀── writer ◀── events ◀──────── reader (decodes) ◀────────── provider
import type { SseFrame } from '../core/sse.ts'
import type { AppError } from '../core/errors.ts'
import type { AnswerEvent } from './events.ts'
import type { Frame } from './frames.ts'
import type { NeutralRequest } from './request.ts'

export const DIALECTS = [
  'openai-chat',
  'openai-responses',
  'openai-embeddings',
  'anthropic-messages',
  'anthropic-count-tokens',
] as const
export type DialectName = (typeof DIALECTS)[number]

/** What a request needs of whoever answers it. A target that lacks one of them is no candidate. */
export type Demand =
  | 'tools'
  | 'images'
  | 'files'
  | 'audio'
  | 'json-schema'
  | 'logprobs'
  | 'choices'
  | 'embeddings'
  | 'count-tokens'
  /** What exists only in the caller's dialect (tools that its provider runs, containers): nobody else can be told it. */
  | 'own-kind'

/** A request as the gateway decides by it. The body is the caller's; only what is decided by has been checked. */
export interface Ask {
  readonly dialect: DialectName
  /** JSON in that dialect. */
  readonly body: Buffer
  /** The name that the caller asked for. */
  readonly model: string
  readonly stream: boolean
  /** Whether the caller wants the usage chunk at the end of a stream (openai-chat; elsewhere always true). */
  readonly wantsUsage: boolean
  /** How many alternative answers were asked for. */
  readonly choices: number
  /** The caller's limit on output tokens; null where it set none. */
  readonly maxOutputTokens: number | null
  /** null where it set none. */
  readonly temperature: number | null
  /** Whom the caller names as behind the call. */
  readonly user: string | null
  readonly demands: ReadonlySet<Demand>
  /** Characters of text that the model has to read: for estimates. */
  promptCharacters(): number
  /** The whole request in no dialect. Throws AppError `malformed` that names the field. */
  neutral(): NeutralRequest
}

/** How a provider is to be asked in this dialect. */
export interface Upstream {
  /** The model as the provider names it. */
  readonly model: string
  readonly stream: boolean
  /** The answer is to go on behind this text of an assistant. White space at its end may be left away. */
  readonly prefill?: string | undefined
}

export interface Dialect {
  readonly name: DialectName
  /** The path at our door, also the `endpoint` label: `/v1/chat/completions`. */
  readonly endpoint: string
  /** Throws AppError `malformed` that names the field. */
  read(body: Buffer): Ask
  /** The caller's own body for a provider that speaks the dialect: only what must change is changed, byte for byte. */
  upstreamBody(ask: Ask, upstream: Upstream): Buffer
  /** A body for such a provider from a request of another dialect. */
  writeRequest(request: NeutralRequest, upstream: Upstream): Buffer
  /** `decode`: fill `events`, for an answer that will be translated; else keep `bytes` for one that passes verbatim. */
  createReader(options: ReaderOptions): AnswerReader
  createWriter(ask: Ask): AnswerWriter
  /** `formal: false`: for a stream that its provider wrote, which may lack forms that no client needs. */
  createChecker(options?: { readonly formal: boolean }): StreamChecker
  /** Ends a stream that passed verbatim and said all, but lacked its end mark. */
  readonly endMark: Uint8Array
  /** How an error is told in a body. `status` is the HTTP one. */
  errorBody(error: AppError, requestId: string): unknown
  /** How an error is told inside a stream that has begun: whole SSE bytes, protocol-correct, never a clean end. */
  errorEvent(error: AppError, requestId: string): Uint8Array
}

export interface ReaderOptions {
  readonly decode: boolean
  /** How many alternative answers were asked for. */
  readonly choices: number
  /** What is answered, for dialects whose answers cannot be judged without it. */
  readonly ask?: Ask | undefined
}

/** Reads one answer of a provider that speaks the dialect. Throws ProviderFailure: an error told, or nonsense. */
export interface AnswerReader {
  /** One event of a stream. */
  see(event: SseFrame): Frame
  /** What stood behind the last whole event: a frame if it only lacks its blank line. */
  seeRest(event: SseFrame): Frame | undefined
  /** A plain answer, whole. */
  whole(body: Buffer): Frame
}

/** Writes one answer in the dialect from events. Keeps to the dialect's grammar whatever the cuts. */
export interface AnswerWriter {
  /** Bytes of whole SSE events for a stream; empty for a plain answer, which is kept. */
  write(events: readonly AnswerEvent[]): Uint8Array
  /** The end of a stream (`[DONE]`, `message_stop`, …) with all that is still open closed; empty for a plain answer. */
  end(): Uint8Array
  /** The plain answer, whole. */
  whole(): Buffer
}

/** Watches a stream in the dialect, event by event, for what its grammar forbids. */
export interface StreamChecker {
  /** What is wrong with this event coming now; null when nothing is. `data` is the parsed JSON, or the text `[DONE]`. */
  see(event: string | null, data: unknown): string | null
  /** What is missing if the stream ends now; null when it may. */
  end(): string | null
}
