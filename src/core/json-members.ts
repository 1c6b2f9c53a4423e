// Where the members of a JSON object stand in its bytes, so that one value can be replaced and every other byte stay:
// parsing and writing again would round large integers, drop duplicate keys and change the spelling of numbers.

/** A value's first byte, and the one behind its last. */
export interface Range {
  readonly start: number
  readonly end: number
}

export interface Member extends Range {
  readonly key: string
}

export interface ObjectLayout {
  readonly members: readonly Member[]
  /** Where the closing brace stands. */
  readonly close: number
}

export interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Several parts of Midwatch look at one body, and this is half of what each of them costs. */
const LAYOUTS = new WeakMap<Buffer, ObjectLayout>()

/**
 * The members of the object that the bytes hold. They must be an object that JSON.parse accepts, and stay as they are.
 * A key given twice is there twice; keys are compared unescaped, as every parser does.
 */
export function layoutOf(json: Buffer): ObjectLayout {
  let layout = LAYOUTS.get(json)
  if (layout === undefined) {
    layout = readLayout(json)
    LAYOUTS.set(json, layout)
  }
  return layout
}

function readLayout(json: Buffer): ObjectLayout {
  const members: Member[] = []
  // A byte order mark may precede the object.
  let at = json.indexOf(OPEN_BRACE) + 1
  for (;;) {
    at = skipSpace(json, at)
    if (json[at] === CLOSE_BRACE || at >= json.length) return { members, close: at }
    if (json[at] === COMMA) {
      at++
      continue
    }
    const keyEnd = endOfString(json, at)
    const key = readString(json, at, keyEnd)
    at = skipSpace(json, keyEnd)
    if (json[at] === COLON) at = skipSpace(json, at + 1)
    const end = endOfValue(json, at)
    members.push({ key, start: at, end })
    at = end
  }
}

/** Where the elements of the array stand that begins at `start`. */
export function elementsOf(json: Buffer, { start, end: close }: Range): readonly Range[] {
  const elements: Range[] = []
  for (let at = start + 1; ;) {
    at = skipSpace(json, at)
    if (json[at] === CLOSE_BRACKET || at >= close) return elements
    if (json[at] === COMMA) {
      at++
      continue
    }
    const end = endOfValue(json, at)
    elements.push({ start: at, end })
    at = end
  }
}

/** The bytes with those ranges replaced. They must not overlap. */
export function splice(bytes: Buffer, splices: readonly Splice[]): Buffer {
  const sorted = splices.toSorted((a, b) => a.start - b.start)
  let size = bytes.length
  for (const { start, end, text } of sorted) size += Buffer.byteLength(text) - (end - start)
  // Written into one buffer: there may be tens of thousands of them.
  const out = Buffer.allocUnsafe(size)
  let from = 0
  let to = 0
  for (const { start, end, text } of sorted) {
    to += bytes.copy(out, to, from, start)
    to += out.write(text, to)
    from = end
  }
  bytes.copy(out, to, from)
  return out
}

function readString(json: Buffer, start: number, end: number): string {
  const raw = json.toString('utf8', start + 1, end - 1)
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
}

/** The first byte at or behind `from` that is no white space. */
function skipSpace(json: Buffer, from: number): number {
  let at = from
  while (json[at] === 0x20 || json[at] === 0x0a || json[at] === 0x0d || json[at] === 0x09) at++
  return at
}

/** Up to here a string is looked at byte by byte; a call out of JavaScript pays only for longer ones. */
const SHORT_STRING = 48

/** `from` is the opening quote. */
function endOfString(json: Buffer, from: number): number {
  let at = from + 1
  for (const short = at + SHORT_STRING; at < short; at++) {
    const byte = json[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) at++
  }
  // A quote ends the string unless an odd number of backslashes stands before it. Where the loop above stopped, no
  // backslash before it escapes anything any more.
  const begin = at
  for (at--; ;) {
    at = json.indexOf(QUOTE, at + 1)
    if (at === -1) return json.length
    let backslashes = 0
    while (at - 1 - backslashes >= begin && json[at - 1 - backslashes] === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return at + 1
  }
}

/** Behind the last byte of the value at `from`; the end of the bytes where it does not end in them. */
function endOfValue(json: Buffer, from: number): number {
  const first = json[from]
  if (first === QUOTE) return endOfString(json, from)
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return endOfScalar(json, from)
  let depth = 0
  let at = from
  while (at < json.length) {
    const byte = json[at]
    if (byte === QUOTE) {
      at = endOfString(json, at)
      continue
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
    at++
    if (depth === 0) return at
  }
  return at
}

function endOfScalar(json: Buffer, from: number): number {
  let at = from
  while (at < json.length && (json[at] ?? 0) > 0x20) {
    const byte = json[at]
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET) break
    at++
  }
  return at
}
