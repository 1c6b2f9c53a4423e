// AWS' binary event stream (application/vnd.amazon.eventstream), read off bytes that arrive cut at any place. A message
// is its length, the length of its headers, a checksum of these two, headers, payload and a checksum of all. The first
// checksum is checked as soon as it is there: else a flipped bit in the length would have us wait for gigabytes.
import { crc32 } from 'node:zlib'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import type { SseFrame } from '../../core/sse.ts'
import { ProviderFailure } from '../../llm/provider.ts'
import type { Splitter } from '../http-call.ts'

const PRELUDE_BYTES = 12
const MAX_MESSAGE_BYTES = 24 * 1024 * 1024

/** Begins the event of a message that is an exception: what follows is its type. */
export const EXCEPTION = 'exception:'

const codec = new EventStreamCodec(
  (bytes) =>
    typeof bytes === 'string' ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
  (text) => Buffer.from(text, 'utf8'),
)

export class EventStreamSplitter implements Splitter {
  #parts: Buffer[] = []
  #size = 0
  /** How long the message is that has begun; null until its prelude is there. */
  #length: number | null = null
  /** What was wrong behind messages that were still good. */
  #failure: ProviderFailure | null = null

  /** The messages that are whole now: `event` is their type, `data` their payload. Throws ProviderFailure for nonsense. */
  push(chunk: Buffer): readonly SseFrame[] {
    if (this.#failure) throw this.#failure
    this.#parts.push(chunk)
    this.#size += chunk.length
    const messages: SseFrame[] = []
    try {
      for (let next = this.#next(); next; next = this.#next()) messages.push(read(next))
    } catch (error) {
      if (!(error instanceof ProviderFailure) || messages.length === 0) throw error
      this.#failure = error
    }
    return messages
  }

  rest(): SseFrame {
    if (this.#failure) throw this.#failure
    return { bytes: this.#joined(), event: null, data: null }
  }

  /** The bytes of the next whole message. */
  #next(): Buffer | undefined {
    if (this.#length === null) {
      if (this.#size < PRELUDE_BYTES) return undefined
      this.#length = lengthIn(this.#joined())
    }
    if (this.#size < this.#length) return undefined
    const all = this.#joined()
    const message = all.subarray(0, this.#length)
    const rest = all.subarray(this.#length)
    this.#parts = rest.length > 0 ? [rest] : []
    this.#size = rest.length
    this.#length = null
    return message
  }

  #joined(): Buffer {
    const [only] = this.#parts
    if (this.#parts.length === 1 && only) return only
    const all = Buffer.concat(this.#parts)
    this.#parts = [all]
    return all
  }
}

function lengthIn(bytes: Buffer): number {
  const length = bytes.readUInt32BE(0)
  if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) {
    throw new ProviderFailure('upstream_malformed', 'the beginning of a message of the stream is damaged')
  }
  if (length > MAX_MESSAGE_BYTES) {
    throw new ProviderFailure('upstream_malformed', 'a message of the stream is larger than 24 MiB')
  }
  return length
}

function read(bytes: Buffer): SseFrame {
  let message: ReturnType<typeof codec.decode>
  try {
    message = codec.decode(bytes)
  } catch (error) {
    throw new ProviderFailure('upstream_malformed', 'a message of the stream is damaged', { cause: error })
  }
  const header = (name: string): string | undefined => {
    const value = message.headers[name]
    return value?.type === 'string' ? value.value : undefined
  }
  const data = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength).toString('utf8')
  switch (header(':message-type')) {
    case 'exception':
      return { bytes, event: `${EXCEPTION}${header(':exception-type') ?? ''}`, data }
    case 'error': {
      const message = header(':error-message')
      return { bytes, event: `${EXCEPTION}${header(':error-code') ?? ''}`, data: JSON.stringify({ message }) }
    }
    default:
      return { bytes, event: header(':event-type') ?? null, data }
  }
}
