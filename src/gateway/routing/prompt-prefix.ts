// What of a request's body decides its affinity: tools, system prompt, and the messages up to and with the user's first,
// as they stand in its bytes. All turns of one conversation share that, and so do all calls of a program whose system
// prompt is long; what changes from call to call (user, seed, temperature) stands in none of it. Only the first KiB of
// it counts, and what stands behind the first 64 KiB of the body is not looked for.
//
// Its grammar is looked for in text of one byte a character, since strings are searched fast; what is found is hashed
// from the bytes at the same places, since bytes are read fast.

const PREFIX_BYTES = 1024
const LOOKED_AT_BYTES = 64 * 1024
const SAME_FOR_ALL_TURNS: ReadonlySet<string> = new Set(['tools', 'system', 'instructions', 'prompt'])
const TURNS: ReadonlySet<string> = new Set(['messages', 'input'])

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** 32 bits. `body`: a JSON object that was parsed before; whatever it holds, this ends and does not throw. */
export function prefixHash(body: Buffer, tenant: string): number {
  const json = body.toString('latin1', 0, LOOKED_AT_BYTES)
  const hash = new PrefixHash(body, tenant)
  eachMember(json, json.indexOf('{'), (key, start, end) => {
    if (SAME_FOR_ALL_TURNS.has(key)) hash.add(start, end)
    else if (TURNS.has(key)) throughFirstUser(json, start, end, hash)
    return hash.left > 0
  })
  return hash.value
}

function throughFirstUser(json: string, start: number, end: number, hash: PrefixHash): void {
  if (json.charCodeAt(start) !== OPEN_BRACKET) return hash.add(start, end)
  for (let at = skipSpace(json, start + 1); at < end && hash.left > 0; at = skipSpace(json, at)) {
    if (json.charCodeAt(at) === CLOSE_BRACKET) return
    const elementEnd = endOfValue(json, at)
    if (elementEnd <= at) return
    hash.add(at, elementEnd)
    if (isUsers(json, at)) return
    at = elementEnd
  }
}

function isUsers(json: string, start: number): boolean {
  if (json.charCodeAt(start) !== OPEN_BRACE) return json.charCodeAt(start) === QUOTE
  let user = false
  eachMember(json, start, (key, valueStart) => {
    if (key !== 'role') return true
    user = json.startsWith('"user"', valueStart)
    return false
  })
  return user
}

/** The members of the object at `open`, until `see` says false. */
function eachMember(json: string, open: number, see: (key: string, start: number, end: number) => boolean): void {
  if (open < 0) return
  for (let at = skipSpace(json, open + 1); json.charCodeAt(at) === QUOTE; at = skipSpace(json, at)) {
    const keyEnd = endOfString(json, at)
    // A key is compared as it is written: spelled with escapes it is only not found.
    const key = json.slice(at + 1, keyEnd - 1)
    at = skipSpace(json, keyEnd)
    if (json.charCodeAt(at) !== COLON) return
    at = skipSpace(json, at + 1)
    const end = endOfValue(json, at)
    if (end <= at || !see(key, at, end)) return
    at = end
  }
}

/** Commas too: what is between values says nothing here. */
function skipSpace(json: string, from: number): number {
  let at = from
  // NaN, behind the end, is no more than a space either way.
  for (let code = json.charCodeAt(at); code <= 0x20 || code === COMMA; code = json.charCodeAt(++at));
  return at
}

/** `from` is the opening quote. A quote ends the string unless an odd number of backslashes stands before it. */
function endOfString(json: string, from: number): number {
  for (let at = json.indexOf('"', from + 1); at !== -1; at = json.indexOf('"', at + 1)) {
    let before = at - 1
    while (json.charCodeAt(before) === BACKSLASH) before--
    if ((at - before) % 2 === 1) return at + 1
  }
  return json.length
}

/** Behind its last byte; the end of the text where it does not end in it. */
function endOfValue(json: string, from: number): number {
  const first = json.charCodeAt(from)
  if (first === QUOTE) return endOfString(json, from)
  const nested = first === OPEN_BRACE || first === OPEN_BRACKET
  let depth = 0
  for (let at = from; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (!nested && (code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET || code <= 0x20)) return at
    if (code === QUOTE) at = endOfString(json, at) - 1
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--
    if (nested && depth === 0) return at + 1
  }
  return json.length
}

/** FNV-1a by four bytes at once, then mixed. */
class PrefixHash {
  left = PREFIX_BYTES
  readonly #body: Buffer
  #state: number

  constructor(body: Buffer, tenant: string) {
    this.#body = body
    this.#state = textHash(tenant)
  }

  add(start: number, end: number): void {
    const body = this.#body
    const until = Math.min(end, start + this.left)
    let state = this.#state
    let at = start
    for (; at + 3 < until; at += 4) {
      const low = (body[at] ?? 0) | ((body[at + 1] ?? 0) << 8)
      state = Math.imul(state ^ (low | ((body[at + 2] ?? 0) << 16) | ((body[at + 3] ?? 0) << 24)), 0x01000193)
      // A product spreads only upwards: without this, what differs in high bits alone would stay there.
      state ^= state >>> 15
    }
    for (; at < until; at++) state = Math.imul(state ^ (body[at] ?? 0), 0x01000193)
    this.left -= until - start
    // What follows begins anew: [a, bc] is not [ab, c].
    this.#state = Math.imul(state ^ 0x10000, 0x01000193)
  }

  get value(): number {
    return mixed(this.#state)
  }
}

/** FNV-1a over the text's UTF-16 units. */
export function textHash(text: string): number {
  let state = 0x811c9dc5
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  return state
}

/** MurmurHash3's finaliser: every bit in changes half of those out. 0 to 2^32 - 1. */
export function mixed(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
