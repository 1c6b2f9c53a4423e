// One call to a provider over HTTP: what every provider does alike. The provider says where and what to send, how its
// stream is cut into events, and how they are read.
import type { IncomingHttpHeaders } from 'node:http'
import type { Secret } from '../core/secret.ts'
import { type SseFrame, SseSplitter } from '../core/sse.ts'
import type { AnswerReader } from '../llm/dialect.ts'
import type { Frame } from '../llm/frames.ts'
import { type FrameSink, ProviderFailure } from '../llm/provider.ts'
import { wholeBody } from './body.ts'
import { quotingNone, withoutSecrets } from './headers.ts'
import type { Receiver, Wire } from './wire.ts'

export interface HttpRequest {
  readonly path: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: Buffer
  readonly stream: boolean
  readonly traceparent?: string | undefined
}

/** Cuts a stream's bytes into events. Throws RangeError when one grows without bound. */
export interface Splitter {
  push(chunk: Buffer): readonly SseFrame[]
  /** What came after the last whole event. */
  rest(): SseFrame
}

export interface HttpCodec {
  readonly reader: AnswerReader
  /** The answer is in the caller's dialect; else the provider's own words of refusal mean nothing to the caller. */
  readonly verbatim: boolean
  /** Server-sent events where absent. */
  readonly splitter?: Splitter
  /** What no error may quote: some servers do. */
  readonly secrets: readonly Secret[]
  /** An answer with a status other than 200. */
  failureFromReply(status: number, headers: IncomingHttpHeaders, body: Buffer): ProviderFailure
  /** A body that should have been a stream and holds no event. */
  failureInBody(body: Buffer): ProviderFailure
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const MAX_ERROR_BYTES = 1024 * 1024

/** As `Provider.call`. */
export async function callOverHttp(
  wire: Wire,
  request: HttpRequest,
  codec: HttpCodec,
  sink: FrameSink,
  signal: AbortSignal,
): Promise<void> {
  const answer = new HttpAnswer(request.stream, codec, sink)
  try {
    await wire.post(request.path, headersOf(request), request.body, answer, signal)
    answer.end()
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    // What cannot be read of an error's body is not missed. An error that was told under 200 may quote our key as well.
    throw answer.refused ? answer.failure() : quotingNone(error, codec.secrets)
  }
}

const headersOf = ({ headers, traceparent }: HttpRequest): readonly string[] =>
  traceparent === undefined ? headers : [...headers, 'traceparent', traceparent]

const NOTHING: readonly Frame[] = []

class HttpAnswer implements Receiver {
  readonly #stream: boolean
  readonly #codec: HttpCodec
  readonly #sink: FrameSink
  readonly #splitter: Splitter
  #status = 0
  #headers: IncomingHttpHeaders = {}
  /** The body where it is read whole; for a stream, as long as it holds no event. */
  #body: Buffer[] | null = []
  #size = 0
  #ended = false

  constructor(stream: boolean, codec: HttpCodec, sink: FrameSink) {
    this.#stream = stream
    this.#codec = codec
    this.#sink = sink
    this.#splitter = codec.splitter ?? new SseSplitter()
  }

  get refused(): boolean {
    return this.#status !== 0 && this.#status !== 200
  }

  connected(): void {
    this.#sink.connected()
  }

  head(status: number, headers: IncomingHttpHeaders): void {
    this.#status = status
    this.#headers = headers
    // A sign of life: what is waited for now is the reason, and for that nobody waits as long as for an answer.
    if (this.refused) void this.#sink.take(NOTHING)
  }

  data(chunk: Buffer): Promise<void> | 'enough' | undefined {
    if (this.refused) {
      this.#keep(chunk)
      if (this.#size > MAX_ERROR_BYTES) throw this.failure()
      return undefined
    }
    if (this.#stream) return this.#streamed(chunk)
    this.#keep(chunk)
    if (this.#size > MAX_ANSWER_BYTES) {
      throw new ProviderFailure('upstream_malformed', 'the answer is larger than 64 MiB')
    }
    return this.#sink.take(NOTHING)
  }

  /** The answer is over. */
  end(): void {
    if (this.#ended) return
    if (this.refused) throw this.failure()
    if (!this.#stream) {
      void this.#sink.take([this.#codec.reader.whole(this.#whole())])
      return
    }
    const last = this.#codec.reader.seeRest(this.#splitter.rest())
    if (last) void this.#sink.take([last])
    else if (this.#body) throw this.#codec.failureInBody(withoutSecrets(this.#whole(), this.#codec.secrets))
  }

  failure(): ProviderFailure {
    const { verbatim, secrets } = this.#codec
    const said = withoutSecrets(this.#wholeIfReadable(), secrets)
    const failure = this.#codec.failureFromReply(this.#status, this.#headers, said)
    if (verbatim || failure.detail.reply === undefined) return failure
    return new ProviderFailure(failure.kind, failure.message, { ...failure.detail, reply: undefined })
  }

  #streamed(chunk: Buffer): Promise<void> | 'enough' | undefined {
    const events = this.#split(chunk)
    // Some answer a streamed call with a plain error body under 200: it shows as text that holds no event at all.
    if (this.#body) {
      if (events.some((event) => event.data !== null)) this.#body = null
      else if (this.#size <= MAX_ERROR_BYTES) this.#keep(chunk)
    }
    if (events.length === 0) return this.#sink.take(NOTHING)
    const frames: Frame[] = []
    for (const event of events) {
      try {
        frames.push(this.#codec.reader.see(event))
      } catch (error) {
        // What arrived in the same packet before the fault is still good.
        if (frames.length > 0) void this.#sink.take(frames)
        throw error
      }
      if (frames.at(-1)?.kind === 'end') {
        this.#ended = true
        void this.#sink.take(frames)
        return 'enough'
      }
    }
    return this.#sink.take(frames)
  }

  #split(chunk: Buffer): readonly SseFrame[] {
    try {
      return this.#splitter.push(chunk)
    } catch (error) {
      if (error instanceof ProviderFailure) throw error
      throw new ProviderFailure('upstream_malformed', 'an event of the stream is too large', { cause: error })
    }
  }

  #keep(chunk: Buffer): void {
    this.#size += chunk.length
    this.#body?.push(chunk)
  }

  #wholeIfReadable(): Buffer {
    try {
      return this.#whole()
    } catch {
      return Buffer.alloc(0)
    }
  }

  #whole(): Buffer {
    return wholeBody(this.#body ?? [], this.#headers['content-encoding'], MAX_ANSWER_BYTES)
  }
}
