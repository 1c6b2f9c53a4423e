// A `multipart/form-data` body (RFC 7578) part by part, as it comes: a part of any size is never in memory whole. The
// parts have to be read in order; what a reader leaves of one is skipped.
import { AppError } from '../core/errors.ts'

export interface Part {
  readonly name: string
  /** undefined: a field and no file. */
  readonly filename: string | undefined
  readonly body: AsyncIterable<Buffer>
}

const MAX_HEADER_BYTES = 16 * 1024
const MAX_PARTS = 100
const CRLF = Buffer.from('\r\n')
const BLANK_LINE = Buffer.from('\r\n\r\n')

/** Throws `unsupported_media` where it is no such body, and `malformed` where it breaks the rules or off. */
export async function* readMultipart(
  source: AsyncIterable<Buffer>,
  contentType: string | undefined,
): AsyncGenerator<Part, void, undefined> {
  const input = new Input(source)
  const delimiter = Buffer.from(`\r\n--${boundaryOf(contentType)}`)
  // The first delimiter may stand at the very beginning: then the line end before it is ours.
  input.unshift(CRLF)
  for await (const _preamble of input.until(delimiter));
  for (let count = 0; !(await atEnd(input)); count++) {
    if (count === MAX_PARTS) throw new AppError('malformed', `The form has more than ${MAX_PARTS} parts.`)
    const disposition = dispositionOf(await headersOf(input))
    const body = input.until(delimiter)
    yield { ...disposition, body }
    for await (const _left of body);
  }
}

/** Behind a delimiter: whether it was the last. Else the line that it stands in is over. */
async function atEnd(input: Input): Promise<boolean> {
  const mark = await input.take(2)
  if (mark.toString('latin1') === '--') return true
  input.unshift(mark)
  // Some pad the line with spaces (RFC 2046, 5.1.1).
  for await (const padding of input.until(CRLF)) {
    if (padding.some((byte) => byte !== 0x20 && byte !== 0x09)) throw malformed('something stands behind a boundary')
  }
  return false
}

async function headersOf(input: Input): Promise<string> {
  // So that a part without headers ends like one that has some.
  input.unshift(CRLF)
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of input.until(BLANK_LINE)) {
    size += piece.length
    if (size > MAX_HEADER_BYTES) throw malformed('the headers of a part are too long')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function dispositionOf(headers: string): { readonly name: string; readonly filename: string | undefined } {
  const line = /^content-disposition:[ \t]*form-data[ \t]*(;.*)$/im.exec(headers)?.[1]
  const parameters = new Map(
    // A quote within a value is escaped with a backslash, or as %22.
    [...(line ?? '').matchAll(/;[ \t]*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^;"\s]*))/g)].map(
      ([, key = '', quoted, bare]) =>
        [key.toLowerCase(), quoted?.replaceAll(/\\(["\\])/g, '$1') ?? bare ?? ''] as const,
    ),
  )
  const name = parameters.get('name')
  if (name === undefined) throw malformed('a part does not say the name of its field')
  return { name, filename: parameters.get('filename') }
}

function boundaryOf(contentType = ''): string {
  if (!/^multipart\/form-data\s*(;|$)/i.test(contentType)) {
    throw new AppError('unsupported_media', 'Send the body as multipart/form-data.')
  }
  const found = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(contentType)
  const boundary = found?.[1] ?? found?.[2]
  if (boundary === undefined) throw malformed('its content-type names no boundary')
  return boundary
}

const malformed = (why: string): AppError => new AppError('malformed', `The form cannot be read: ${why}.`)

/** What has come of the body and was not taken yet. */
class Input {
  readonly #source: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  unshift(bytes: Buffer): void {
    this.#held = Buffer.concat([bytes, this.#held])
  }

  async take(size: number): Promise<Buffer> {
    while (this.#held.length < size) await this.#more()
    const taken = this.#held.subarray(0, size)
    this.#held = this.#held.subarray(size)
    return taken
  }

  /** Everything before the mark, in pieces; the mark is taken too. Read to its end, it has no more. */
  async *until(mark: Buffer): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const at = this.#held.indexOf(mark)
      if (at >= 0) {
        const last = this.#held.subarray(0, at)
        this.#held = this.#held.subarray(at + mark.length)
        if (last.length > 0) yield last
        return
      }
      // The end of what is there may be the beginning of the mark.
      const sure = this.#held.length - mark.length + 1
      if (sure > 0) {
        const piece = this.#held.subarray(0, sure)
        this.#held = this.#held.subarray(sure)
        yield piece
      }
      await this.#more()
    }
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#source.next()
    if (done === true) throw malformed('it ends in the middle')
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value])
  }
}
