// Payment cards: an issuer's prefix, a length that the issuer uses, the check digit (ISO/IEC 7812-1), and a way of
// writing it that cards have. Of random 16-digit numbers one in about sixteen would pass the first three.
import { type DigitGroups, digitsOf, lengthOf, uniform } from '../digit-groups.ts'

/** How many digits each group has, where a number is written in groups. */
const GROUPINGS: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 3],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 6, 4],
  [4, 4, 5],
  [6, 13],
]

const CONTEXT =
  /\b(?:card|credit|debit|visa|master ?card|maestro|amex|american express|discover|union ?pay|pan|cvv|cvc)\b/i

/** Where the card that begins with the first group ends; -1 when none does. */
export function cardEnd(text: string, groups: DigitGroups): number {
  const first = lengthOf(groups, 0)
  if (first >= 12) return first <= 19 && isCard(text, groups, 0, first) ? (groups.ends[0] ?? -1) : -1
  if (first !== 4 && first !== 6) return -1
  for (const grouping of GROUPINGS) {
    const last = grouping.length - 1
    if (groups.count <= last || !grouping.every((length, n) => lengthOf(groups, n) === length)) continue
    const separator = groups.separators[1]
    if (!uniform(groups, last) || (separator !== 0x20 && separator !== 0x2d && separator !== 0x2e)) continue
    const length = grouping.reduce((sum, one) => sum + one, 0)
    if (isCard(text, groups, last, length)) return groups.ends[last] ?? -1
  }
  return -1
}

function isCard(text: string, groups: DigitGroups, last: number, length: number): boolean {
  const digits = digitsOf(text, groups, last)
  if (!passesLuhn(digits)) return false
  if (oftenIssued(digits, length)) return true
  // Maestro, Elo and RuPay share their prefixes with ids of other kinds: only the words before the number can tell.
  const start = groups.starts[0] ?? 0
  return CONTEXT.test(text.slice(Math.max(0, start - 60), start))
}

/** Whether numbers that look like this are cards more often than ids of another kind. */
function oftenIssued(digits: string, length: number): boolean {
  const four = Number(digits.slice(0, 4))
  const two = Math.floor(four / 100)
  if (two >= 40 && two <= 49) return length === 16 // Visa; those of 13 and 19 digits are as good as extinct
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return length === 16 // Mastercard
  if (two === 34 || two === 37) return length === 15 // American Express
  if (four >= 3528 && four <= 3589) return length === 16 // JCB
  if (four === 2131 || four === 1800) return length === 15 // JCB of old
  if ((four >= 3000 && four <= 3059) || four === 3095 || two === 36 || two === 38 || two === 39) return length === 14 // Diners Club
  if (four === 6011 || (four >= 6440 && four <= 6499) || two === 65) return length === 16 // Discover
  if (two === 62 || (four >= 2200 && four <= 2204) || four === 9792) return length === 16 // UnionPay, Mir, Troy
  return false
}

function passesLuhn(digits: string): boolean {
  let sum = 0
  let distinct = 0
  for (let i = digits.length - 1, twice = false; i >= 0; i--, twice = !twice) {
    let digit = digits.charCodeAt(i) - 0x30
    distinct |= 1 << digit
    if (twice && (digit *= 2) > 9) digit -= 9
    sum += digit
  }
  // 4444 4444 4444 4448 may be a card; 0000… and the like are not.
  return sum % 10 === 0 && (distinct & (distinct - 1)) !== 0
}
