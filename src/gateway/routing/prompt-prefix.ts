// What of a request's body decides its affinity: tools, system prompt, and the messages up to and with the user's first,
// as they stand in its bytes. All turns of one conversation share that, and so do all calls of a program whose system
// prompt is long; what changes from call to call (user, seed, temperature) stands in none of it. Only the first 2 KiB of
// it count, and what stands behind the first 256 KiB of the body is not looked for.
import { endOfValue, skipSpace } from '../../core/json-members.ts'

const PREFIX_BYTES = 2048
const LOOKED_AT_BYTES = 256 * 1024
const SAME_FOR_ALL_TURNS: ReadonlySet<string> = new Set(['tools', 'system', 'instructions', 'prompt'])
const TURNS: ReadonlySet<string> = new Set(['messages', 'input'])

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
const COMMA = 0x2c
const COLON = 0x3a
const QUOTE = 0x22

/** 32 bits. `body`: a JSON object that was parsed before; whatever it holds, this ends and does not throw. */
export function prefixHash(body: Buffer, tenant: string): number {
  const hash = new PrefixHash()
  hash.text(tenant)
  const json = body.length > LOOKED_AT_BYTES ? body.subarray(0, LOOKED_AT_BYTES) : body
  eachMember(json, json.indexOf(OPEN_BRACE), (key, start, end) => {
    if (SAME_FOR_ALL_TURNS.has(key)) hash.bytes(json, start, end)
    else if (TURNS.has(key)) throughFirstUser(json, start, end, hash)
    return hash.left > 0
  })
  return hash.value
}

function throughFirstUser(json: Buffer, start: number, end: number, hash: PrefixHash): void {
  if (json[start] !== OPEN_BRACKET) return hash.bytes(json, start, end)
  for (let at = start + 1; at < end && hash.left > 0;) {
    at = skipSpace(json, at)
    if (json[at] === COMMA) {
      at++
      continue
    }
    const elementEnd = Math.max(at + 1, endOfValue(json, at))
    // The closing bracket is the end of the last value, as it were.
    if (elementEnd > end || at >= end - 1) return
    hash.bytes(json, at, elementEnd)
    if (isUsers(json, at, elementEnd)) return
    at = elementEnd
  }
}

function isUsers(json: Buffer, start: number, end: number): boolean {
  if (json[start] !== OPEN_BRACE) return json[start] === QUOTE
  let user = false
  eachMember(json.subarray(0, end), start, (key, valueStart, valueEnd) => {
    if (key !== 'role') return true
    user = json.toString('latin1', valueStart, valueEnd) === '"user"'
    return false
  })
  return user
}

/** The members of the object at `open`, until `see` says false. */
function eachMember(json: Buffer, open: number, see: (key: string, start: number, end: number) => boolean): void {
  for (let at = open + 1; at > 0 && at < json.length;) {
    at = skipSpace(json, at)
    if (json[at] === COMMA) {
      at++
      continue
    }
    if (json[at] !== QUOTE) return
    const keyEnd = endOfValue(json, at)
    // A key is compared as it is written: spelled with escapes it is only not found.
    const key = keyEnd - at < 20 ? json.toString('latin1', at + 1, keyEnd - 1) : ''
    at = skipSpace(json, keyEnd)
    if (json[at] !== COLON) return
    at = skipSpace(json, at + 1)
    const end = endOfValue(json, at)
    if (end <= at || !see(key, at, end)) return
    at = end
  }
}

/** FNV-1a by words of four bytes (a byte at a time costs three times as much), then mixed. */
class PrefixHash {
  left = PREFIX_BYTES
  #state = 0x811c9dc5

  bytes(json: Buffer, start: number, end: number): void {
    const until = Math.min(end, start + this.left)
    let state = this.#state
    let at = start
    for (; at + 3 < until; at += 4) {
      const word =
        (json[at] ?? 0) | ((json[at + 1] ?? 0) << 8) | ((json[at + 2] ?? 0) << 16) | ((json[at + 3] ?? 0) << 24)
      state = Math.imul(state ^ word, 0x01000193)
      // Upwards is the only way a product spreads: without this, the words' high bits would reach few of the state's.
      state ^= state >>> 15
    }
    for (; at < until; at++) state = Math.imul(state ^ (json[at] ?? 0), 0x01000193)
    this.left -= until - start
    // What follows begins anew: [a, bc] is not [ab, c].
    this.#state = Math.imul(state ^ 0x100, 0x01000193)
  }

  text(text: string): void {
    this.#state = textHash(text, this.#state)
  }

  get value(): number {
    return mixed(this.#state)
  }
}

/** FNV-1a over the text's UTF-16 units. */
export function textHash(text: string, from = 0x811c9dc5): number {
  let state = from
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
