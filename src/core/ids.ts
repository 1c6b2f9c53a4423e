// Identifiers: a short prefix that says what a thing is, and 26 characters that sort by time of making
// (48 bits of milliseconds, 80 of chance, Crockford base 32: the layout of a ULID).
import { randomFillSync } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Makes a new identifier such as `inc_01JD…`. Ids made in a later millisecond sort after earlier ones. */
export function newId(prefix: string, nowMs = Date.now()): string {
  let time = ''
  for (let rest = nowMs, i = 0; i < 10; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time
  if (next === pool.length) {
    randomFillSync(pool)
    next = 0
  }
  let chance = ''
  for (const end = next + CHANCE; next < end; next++) chance += ALPHABET[(pool[next] ?? 0) % 32]
  return `${prefix}_${time}${chance}`
}

/** Asking the system for chance costs more than all the rest, so it is asked for many ids at once. */
const CHANCE = 16
const pool = Buffer.alloc(CHANCE * 256)
let next = pool.length
