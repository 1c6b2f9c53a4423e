// Personal data and secrets in a text, in one pass. A rule is asked only where a character stands at which it may begin;
// each looks a bounded way around it and the scan goes on behind what was found, so the time is linear in the text.
import { isDigit, isWord, wordBefore } from './characters.ts'
import { type DigitGroups, lengthOf, readGroups } from './digit-groups.ts'
import { cardEnd } from './rules/card.ts'
import { emailAround } from './rules/email.ts'
import { ibanEnd } from './rules/iban.ts'
import { ipv4End, ipv6Around } from './rules/ip.ts'
import { announcedBefore, assignedSecret, spokenPassword } from './rules/passwords.ts'
import { phoneAt } from './rules/phone.ts'
import { ssnEnd } from './rules/ssn.ts'
import { bearerToken, markedTokenEnd, prefixedToken, privateKeyEnd } from './rules/tokens.ts'
import { settle, type PiiType, type Span } from './spans.ts'
import { eachTrigger } from './triggers.ts'

const NOTHING: readonly Span[] = []

/** In order, none overlapping another; offsets in UTF-16 units. Never throws, whatever the text. */
export function detect(text: string): readonly Span[] {
  let found: Span[] | undefined
  const add: Add = (type, start, end) => {
    ;(found ??= []).push({ start, end, type })
    return end
  }
  eachTrigger(text, (at) => rulesAt(text, at, add))
  return found ? settle(found) : NOTHING
}

/** Asks the rules that may begin at the character. Where to go on; -1 where nothing was found. */
function rulesAt(text: string, at: number, add: Add): number {
  const code = text.charCodeAt(at)
  if (isDigit(code)) return numberAt(text, at, add)
  switch (code) {
    case 0x40: // @
      return emailAt(text, at, at + 1, add)
    case 0x25: // %40
      return emailAt(text, at, at + 3, add)
    case 0x2d: // - _
    case 0x5f:
      return jointAt(text, at, add)
    case 0x3a: // : =
    case 0x3d:
      return signAt(text, at, add)
    case 0x57: // passWord
    case 0x77: {
      const password = spokenPassword(text, at - 4)
      return password ? add('secret', password.start, password.end) : -1
    }
    case 0x42: // Bearer
    case 0x62: {
      const token = bearerToken(text, at)
      return token ? add('secret', token.start, token.end) : -1
    }
    default: {
      const start = at - (MARKED[text.charAt(at)] ?? 0) + (text.startsWith('SG.', at) ? 1 : 0)
      const end = markedTokenEnd(text, start)
      return end > 0 ? add('secret', start, end) : -1
    }
  }
}

/** How far behind its beginning the letter stands by which a token is noticed: AKIA, ASIA, AIza, eyJ. */
const MARKED: Readonly<Record<string, number>> = { K: 1, S: 1, z: 2, J: 2 }

type Add = (type: PiiType, start: number, end: number) => number

/** At the first digit of a group. Where to go on: behind what was found, else behind the group. */
function numberAt(text: string, at: number, add: Add): number {
  const iban = ibanEnd(text, at)
  if (iban > 0) return add('iban', at - 2, iban)
  const before = text.charCodeAt(at - 1)
  if (before === 0x61 && text.charCodeAt(at - 2) === 0x79) {
    const token = markedTokenEnd(text, at - 2)
    if (token > 0) return add('secret', at - 2, token)
  }
  const groups = readGroups(text, at)
  const behind = behindHopeless(groups)
  if (groups.count === 1 && behind - at < 7) return behind
  if (wordBefore(text, at)) return behind
  const ip = ipv4End(text, groups)
  if (ip > 0) return add('ip', at, ip)
  if (before !== 0x2b && before !== 0x28 && !insideId(text, at)) {
    const card = cardEnd(text, groups)
    if (card > 0 && !goesOn(text, card)) return add('card', at, card)
    const ssn = ssnEnd(text, groups)
    if (ssn > 0 && !goesOn(text, ssn)) return add('ssn', at, ssn)
  }
  const phone = hopeless(groups, 0) ? null : phoneAt(text, groups)
  return phone ? add('phone', phone.start, phone.end) : behind
}

/**
 * The end of the first group, and of those behind it in which nothing can begin: after a `-` or `.` they are part of what
 * is before them. Else a long row of numbers would be read again from each of them.
 */
function behindHopeless(groups: DigitGroups): number {
  let n = 0
  const follows = (next: number): boolean => {
    const separator = groups.separators[next]
    return separator === 0x2d || separator === 0x2e || (separator === 0x20 && hopeless(groups, next))
  }
  while (n + 1 < groups.count && follows(n + 1)) n++
  return groups.ends[n] ?? 0
}

/** Three single digits in a row, with spaces between: no number that we know is written so. */
const hopeless = (groups: DigitGroups, n: number): boolean =>
  n + 2 < groups.count &&
  lengthOf(groups, n) === 1 &&
  lengthOf(groups, n + 1) === 1 &&
  lengthOf(groups, n + 2) === 1 &&
  groups.separators[n + 1] !== 0x2e

/** Behind a word or a number with a dash, dot, slash or comma between: part of something longer. */
function insideId(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1)
  return (before === 0x2d || before === 0x2e || before === 0x2c || before === 0x2f) && isWord(text.charCodeAt(at - 2))
}

function goesOn(text: string, end: number): boolean {
  const after = text.charCodeAt(end)
  return (
    isWord(after) ||
    (after === 0x2d && isWord(text.charCodeAt(end + 1))) ||
    (after === 0x2e && isDigit(text.charCodeAt(end + 1)))
  )
}

function emailAt(text: string, at: number, behind: number, add: Add): number {
  const span = emailAround(text, at, behind)
  return span ? add(span.type, span.start, span.end) : -1
}

function jointAt(text: string, at: number, add: Add): number {
  if (text.charCodeAt(at + 1) === 0x2d && text.charCodeAt(at + 5) === 0x42) {
    const key = privateKeyEnd(text, at)
    if (key > 0) return add('secret', at, key)
  }
  const token = prefixedToken(text, at)
  return token ? add('secret', token.start, token.end) : -1
}

function signAt(text: string, at: number, add: Add): number {
  const named = announcedBefore(text, at)
  const secret = named && assignedSecret(text, at, named)
  if (secret) return add('secret', secret.start, secret.end)
  if (text.charCodeAt(at) !== 0x3a) return -1
  const address = ipv6Around(text, at)
  return address ? add('ip', address.start, address.end) : -1
}
