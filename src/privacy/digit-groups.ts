// Digits in groups, as people write long numbers: `415-555-0132`, `4111 1111 1111 1111`, `10.0.0.1`. Read once for all
// the rules that look at numbers, into arrays that are used again: detection is synchronous and allocates nothing here.
import { isDigit } from './characters.ts'

const MAX_GROUPS = 8
const MAX_DIGITS = 20

/** Separators longer than one character, with and without a parenthesis in them. */
export const MIXED = 1
export const PAREN = 2

export interface DigitGroups {
  count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** What stands before each group but the first: a character's code, MIXED or PAREN. */
  readonly separators: Int32Array
}

const groups: DigitGroups = {
  count: 0,
  starts: new Int32Array(MAX_GROUPS),
  ends: new Int32Array(MAX_GROUPS),
  separators: new Int32Array(MAX_GROUPS),
}

/** The groups that begin with the digit at `start`. The same object every time. */
export function readGroups(text: string, start: number): DigitGroups {
  let at = start
  let digits = 0
  groups.count = 0
  for (;;) {
    const from = at
    while (isDigit(text.charCodeAt(at))) at++
    const n = groups.count++
    groups.starts[n] = from
    groups.ends[n] = at
    digits += at - from
    if (groups.count === MAX_GROUPS || digits >= MAX_DIGITS) return groups
    let next = at
    let kind = 0
    while (next < at + 3) {
      const code = text.charCodeAt(next)
      if (!isSeparator(code)) break
      if (code === 0x28 || code === 0x29) kind = PAREN
      else if (kind !== PAREN) kind = next === at ? sameDash(code) : MIXED
      next++
    }
    if (next === at || !isDigit(text.charCodeAt(next))) return groups
    groups.separators[groups.count] = kind
    at = next
  }
}

export const lengthOf = ({ starts, ends }: DigitGroups, n: number): number => (ends[n] ?? 0) - (starts[n] ?? 0)

/** The digits of the groups from the first to `last`, without what separates them. */
export function digitsOf(text: string, { starts, ends }: DigitGroups, last: number): string {
  let digits = ''
  for (let n = 0; n <= last; n++) digits += text.slice(starts[n], ends[n])
  return digits
}

/** Whether the same character stands between all groups up to `last`. */
export function uniform({ separators }: DigitGroups, last: number): boolean {
  for (let n = 2; n <= last; n++) if (separators[n] !== separators[1]) return false
  return true
}

/** Space, no-break space, `-`, `.`, `/`, parentheses, and the dashes of typographers. */
const isSeparator = (code: number): boolean =>
  code === 0x20 ||
  code === 0x2d ||
  code === 0x2e ||
  code === 0x28 ||
  code === 0x29 ||
  code === 0x2f ||
  code === 0xa0 ||
  code === 0x202f ||
  (code >= 0x2010 && code <= 0x2013)

function sameDash(code: number): number {
  if (code === 0xa0 || code === 0x202f) return 0x20
  return code >= 0x2010 && code <= 0x2013 ? 0x2d : code
}
