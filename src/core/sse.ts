// Server-sent events, read off bytes that arrive cut at any place (WHATWG HTML, section 9.2). The frames, joined, are
// exactly the bytes that came in: whoever passes them on changes nothing, and text is only decoded in whole frames, so
// no character is ever cut in two.

/** One event with the blank line that ends it. */
export interface SseFrame {
  /** As it arrived. */
  readonly bytes: Buffer
  /** The `event:` field; null when there is none. */
  readonly event: string | null
  /** The `data:` lines joined by line feeds; null when there are none (a comment, say). */
  readonly data: string | null
}

const LF = 0x0a
const CR = 0x0d
const MAX_FRAME_BYTES = 16 * 1024 * 1024

export class SseSplitter {
  #parts: Buffer[] = []
  #size = 0
  #lineIsEmpty = true
  #afterCr = false
  #first = true

  /** The frames that are whole now. Throws RangeError when one grows past 16 MiB. */
  push(chunk: Buffer): SseFrame[] {
    const frames: SseFrame[] = []
    let start = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]
      if (byte === LF && this.#afterCr) {
        this.#afterCr = false
        continue
      }
      this.#afterCr = byte === CR
      if (byte !== LF && byte !== CR) {
        this.#lineIsEmpty = false
        continue
      }
      if (!this.#lineIsEmpty) {
        this.#lineIsEmpty = true
        continue
      }
      if (byte === CR && chunk[i + 1] === LF) {
        this.#afterCr = false
        i++
      }
      frames.push(this.#frame(chunk.subarray(start, i + 1)))
      start = i + 1
    }
    if (start < chunk.length) {
      this.#parts.push(start === 0 ? chunk : chunk.subarray(start))
      this.#size += chunk.length - start
      if (this.#size > MAX_FRAME_BYTES) throw new RangeError('an event is larger than 16 MiB')
    }
    return frames
  }

  /** What came after the last whole frame. The standard says to drop it; some servers forget the last blank line. */
  rest(): SseFrame {
    return this.#frame(Buffer.alloc(0))
  }

  #frame(tail: Buffer): SseFrame {
    const bytes = this.#parts.length === 0 ? tail : Buffer.concat([...this.#parts, tail])
    this.#parts = []
    this.#size = 0
    this.#lineIsEmpty = true
    const text = bytes.toString('utf8')
    const from = this.#first && text.startsWith('\uFEFF') ? 1 : 0
    this.#first = false
    return readFields(bytes, from === 0 ? text : text.slice(from))
  }
}

function readFields(bytes: Buffer, text: string): SseFrame {
  // Nearly every frame of a model's answer is one data line.
  if (text.startsWith('data: ') && text.indexOf('\n') === text.length - 2 && !text.includes('\r')) {
    return { bytes, event: null, data: text.slice(6, -2) }
  }
  // And nearly all the others are one data line with a name before it.
  const named = text.startsWith('event: ') && !text.includes('\r') ? text.indexOf('\n') : -1
  if (named !== -1 && text.startsWith('data: ', named + 1) && text.indexOf('\n', named + 1) === text.length - 2) {
    return { bytes, event: text.slice(7, named), data: text.slice(named + 7, -2) }
  }
  let event: string | null = null
  let data: string | null = null
  for (const line of text.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    if (name !== 'data' && name !== 'event') continue
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'event') event = value
    else data = data === null ? value : `${data}\n${value}`
  }
  return { bytes, event, data }
}

/** Writes one event. Line ends inside `data` become several data lines. */
export function formatSse(data: string, event?: string): string {
  const lines = data
    .split(/\r\n|\n|\r/)
    .map((line) => `data: ${line}\n`)
    .join('')
  return `${event === undefined ? '' : `event: ${event}\n`}${lines}\n`
}
