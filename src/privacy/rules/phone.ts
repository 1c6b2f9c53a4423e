// Telephone numbers. With a `+` the number says itself what it is; a number in one of the common national forms is
// taken unless the words before it speak of something else; any other group of digits only when they speak of a phone.
import { isDigit, isWord } from '../characters.ts'
import { type DigitGroups, digitsOf, lengthOf, MIXED, PAREN, uniform } from '../digit-groups.ts'
import { type PhoneWords, phoneWords } from './phone-words.ts'

const SPACE = 0x20
const DASH = 0x2d
const DOT = 0x2e

/** The longest number after the country's code and with it, where it is shorter than the 15 digits of E.164. */
const LONGEST: readonly (readonly [code: string, digits: number])[] = [
  ['1', 11], ['7', 11], ['20', 12], ['27', 11], ['30', 12], ['31', 12], ['32', 12], ['33', 12], ['34', 11], ['36', 11], ['40', 11],
  ['41', 12], ['44', 13], ['45', 10], ['46', 13], ['47', 10], ['48', 11], ['52', 13], ['55', 13], ['61', 12], ['65', 10], ['81', 13],
  ['82', 13], ['86', 13], ['90', 12], ['91', 12], ['351', 12], ['352', 13], ['353', 13], ['354', 12], ['357', 11], ['358', 14],
  ['370', 11], ['371', 11], ['372', 12], ['385', 12], ['386', 12], ['420', 12], ['421', 12], ['852', 11], ['971', 12], ['972', 13],
] // prettier-ignore

const EXTENSION = /[ ]?(?:x|ext\.?|extension)[ ]?\d{1,6}(?!\w)/iy

/** A number that is written as a telephone number is; null when it is not. */
export function phoneAt(text: string, groups: DigitGroups): { readonly start: number; readonly end: number } | null {
  const first = groups.starts[0] ?? 0
  const before = text.charCodeAt(first - 1)
  const inParens = before === 0x28
  const start = inParens
    ? text.charCodeAt(first - 2) === 0x2b
      ? first - 2
      : first - 1
    : before === 0x2b
      ? first - 1
      : first
  const plus = text.charCodeAt(start) === 0x2b
  if (!standsAlone(text, start, plus)) return null
  const last = plus ? international(text, groups) : national(text, groups, start, inParens)
  if (last < 0) return null
  return withExtension(text, start, groups.ends[last] ?? 0)
}

/** Not behind a letter, nor behind digits or a word with `-`, `.`, `/` or `_` between: there it is part of an id. */
function standsAlone(text: string, start: number, plus: boolean): boolean {
  const before = text.charCodeAt(start - 1)
  if (isWord(before)) return text.charCodeAt(start - 2) === 0x5c
  if (before === 0x2b || before === 0x24 || before === 0x20ac || before === 0xa3) return false
  if (plus) return true
  return !(
    (before === DASH || before === DOT || before === 0x2f || before === 0x2c) &&
    isWord(text.charCodeAt(start - 2))
  )
}

function withExtension(text: string, start: number, end: number): { start: number; end: number } | null {
  EXTENSION.lastIndex = end
  if (EXTENSION.test(text)) return { start, end: EXTENSION.lastIndex }
  const after = text.charCodeAt(end)
  if (isWord(after)) return null
  const next = text.charCodeAt(end + 1)
  // `10:30` behind it, or another `-12`: a time, a longer id.
  if ((after === 0x3a || after === DOT || after === 0x2c) && isDigit(next)) return null
  return after === DASH && isWord(next) ? null : { start, end }
}

/** The last group that belongs to the number; -1 when there is none. */
function international(text: string, groups: DigitGroups): number {
  const all = digitsOf(text, groups, groups.count - 1)
  if (all.startsWith('0')) return -1
  const longest = LONGEST.find(([code]) => all.startsWith(code))?.[1] ?? 15
  let digits = 0
  let last = -1
  for (let n = 0; n < groups.count; n++) {
    // `+44 (0)20`: the zero is for callers at home, and not counted.
    const zero =
      lengthOf(groups, n) === 1 && groups.separators[n] === PAREN && text.charCodeAt(groups.starts[n] ?? 0) === 0x30
    digits += zero ? 0 : lengthOf(groups, n)
    if (digits > longest) break
    last = n
    // What follows a whole number after a space is another one.
    if (digits >= longest - 1 && groups.separators[n + 1] === SPACE && digits + lengthOf(groups, n + 1) > longest) break
  }
  const counted = digitsOf(text, groups, last).length
  if (all.startsWith('1')) return counted === 11 ? last : -1
  return counted >= 8 ? last : -1
}

function national(text: string, groups: DigitGroups, start: number, inParens: boolean): number {
  const words = lazily(() => phoneWords(text, start))
  const american = northAmerican(text, groups, inParens)
  if (american > 0) return words() === 'other' && !inParens ? -1 : american
  if (looksLikeDate(text, groups)) return -1
  const last = lastOfNumber(groups)
  const digits = digitsOf(text, groups, last)
  if (inParens) {
    const area = lengthOf(groups, 0)
    if (groups.separators[1] !== PAREN || area < 2 || area > 5 || digits.length < 8 || digits.length > 11) return -1
    const year = area === 4 && /^(?:19|20)/.test(digits)
    return (digits.length >= 9 && !year && words() !== 'other') || isPhone(words()) ? last : -1
  }
  if (groups.count > 1 && trunkForm(groups, last, digits) && !amongNumbers(text, start))
    return words() === 'other' ? -1 : last
  return byItsWords(groups, last, digits, words)
}

/** `415-555-0132`, `(415) 555-0132`, `1-415-555-0132`, `415.555.0132`, `415 555 0132`: the North American plan. */
function northAmerican(text: string, groups: DigitGroups, inParens: boolean): number {
  const { separators } = groups
  const area = lengthOf(groups, 0) === 1 && text.charAt(groups.starts[0] ?? 0) === '1' ? 1 : 0
  if (lengthOf(groups, area) !== 3 || lengthOf(groups, area + 1) !== 3 || lengthOf(groups, area + 2) !== 4) return -1
  if (groups.count < area + 3 || (area === 1 && inParens)) return -1
  const [between, behind] = [separators[area + 1], separators[area + 2]]
  if (behind !== DASH && behind !== DOT && behind !== SPACE) return -1
  if (between === PAREN && (inParens || area === 1)) return area + 2
  if (inParens || between !== behind || (area === 1 && separators[1] !== between && separators[1] !== SPACE)) return -1
  const zeroArea = text.charAt(groups.starts[area] ?? 0) === '0'
  if (between === DASH) return zeroArea ? -1 : area + 2
  const plausible =
    /[2-9]/.test(text.charAt(groups.starts[area] ?? 0)) && /[2-9]/.test(text.charAt(groups.starts[area + 1] ?? 0))
  return plausible ? area + 2 : -1
}

/** Groups go on while all is separated alike; the first separator may differ: `030/12 34 56`. */
function lastOfNumber(groups: DigitGroups): number {
  let digits = lengthOf(groups, 0)
  for (let n = 1; n < groups.count; n++) {
    digits += lengthOf(groups, n)
    const separator = groups.separators[n]
    const alike = n <= 2 || separator === groups.separators[2]
    if (digits > 13 || !alike || separator === MIXED || (separator === PAREN && n > 1)) return n - 1
  }
  return groups.count - 1
}

/** A leading 0, then groups of two to eight digits, nine to eleven in all: `0490 75 40 81`, `020 7946 0958`. */
function trunkForm(groups: DigitGroups, last: number, digits: string): boolean {
  if (!/^0{1,2}[1-9]/.test(digits) || last < 1 || digits.length < 9 || digits.length > 13) return false
  if (digits.length > 11 && !digits.startsWith('00')) return false
  if (!uniform(groups, last) && lengthOf(groups, 0) > 5) return false
  for (let n = 0; n <= last; n++) if (lengthOf(groups, n) < 2) return false
  return lengthOf(groups, 0) <= 5
}

/** In the middle of a longer row of groups. */
const amongNumbers = (text: string, start: number): boolean =>
  text.charCodeAt(start - 1) === SPACE && isDigit(text.charCodeAt(start - 2))

function byItsWords(groups: DigitGroups, last: number, digits: string, words: () => PhoneWords): number {
  if (digits.length < 7 || digits.length > 13) return -1
  if (last === 0) {
    // Seconds and milliseconds since 1970 begin with a 1, and stand behind words like "call" as well.
    const time = digits.startsWith('1') && (digits.length === 10 || digits.length === 13)
    // Behind a weaker word it has to look like one: `0612345678`, `4155550132`.
    const shaped = /^0[1-9]\d{7,9}$|^[2-9]\d{2}[2-9]\d{6}$/.test(digits)
    return !time && (words() === 'phone' || (shaped && words() === 'calling')) ? 0 : -1
  }
  for (let n = 1; n <= last; n++) if (lengthOf(groups, n) < 2) return -1
  return isPhone(words()) ? last : -1
}

const isPhone = (words: PhoneWords): boolean => words === 'phone' || words === 'calling'

/** `2026-11-25`, `25.11.2026`, `20261125`, with whatever follows. */
function looksLikeDate(text: string, groups: DigitGroups): boolean {
  const digits = digitsOf(text, groups, Math.min(2, groups.count - 1))
  const lengths = `${lengthOf(groups, 0)},${lengthOf(groups, 1)},${lengthOf(groups, 2)}`
  if (groups.count >= 3 && /^(?:4,[12],[12])/.test(lengths)) return /^(?:19|20)/.test(digits)
  if (groups.count >= 3 && /^[12],[12],4/.test(lengths)) return /(?:19|20)\d\d$/.test(digits)
  return lengthOf(groups, 0) === 8 && /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])/.test(digits)
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}
