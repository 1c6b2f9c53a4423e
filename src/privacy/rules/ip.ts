// IP addresses that name a machine. Loopback, unspecified and mask addresses name nobody; four numbers behind
// "version", a `v` or the name of a program are a version; eight pairs of hexadecimals are a fingerprint.
import { isIPv6 } from 'node:net'
import { isDigit, isLetter, isWord, wordBefore } from '../characters.ts'
import { type DigitGroups, lengthOf } from '../digit-groups.ts'

const DOT = 0x2e
const COLON = 0x3a
const NOT_AN_ADDRESS =
  /\b(?:versions?|ver|v|release[ds]?|build|rev(?:ision)?|firmware|driver|patch|sections?|chapter|clause|figure|table|oid|upgraded? to|updated? to)[\s.:=#("'*]*$/i

/** Where the IPv4 address that begins with the first group ends; -1 when none does. */
export function ipv4End(text: string, groups: DigitGroups): number {
  const { separators, starts, ends } = groups
  if (groups.count < 4 || separators[1] !== DOT || separators[2] !== DOT || separators[3] !== DOT) return -1
  if (groups.count > 4 && separators[4] === DOT) return -1
  for (let n = 0; n < 4; n++) {
    const length = lengthOf(groups, n)
    const [from, to] = [starts[n] ?? 0, ends[n] ?? 0]
    if (length > 3 || (length > 1 && text.charCodeAt(from) === 0x30) || Number(text.slice(from, to)) > 255) return -1
  }
  const [start, end] = [starts[0] ?? 0, ends[3] ?? 0]
  const address = text.slice(start, end)
  if (address.startsWith('127.') || address.startsWith('0.') || address.startsWith('255.')) return -1
  const before = text.charCodeAt(start - 1)
  if (wordBefore(text, start) || before === DOT) return -1
  const port = text.charCodeAt(end) === COLON && isDigit(text.charCodeAt(end + 1))
  // `Agent/1.2.3.4` is a program, `//1.2.3.4` and `host/1.2.3.4:80` are addresses; `lib-1.2.3.4.jar` is a file.
  if (before === 0x2f && isWord(text.charCodeAt(start - 2)) && !port) return -1
  if (before === 0x2d && isWord(text.charCodeAt(start - 2))) return -1
  const after = text.charCodeAt(end)
  if (
    isWord(after) ||
    ((after === 0x2d || after === DOT || after === 0x2b) &&
      isLetter(text.charCodeAt(end + 1)) &&
      !startsSentence(text, end))
  )
    return -1
  return NOT_AN_ADDRESS.test(text.slice(Math.max(0, start - 24), start)) ? -1 : end
}

/** A capital behind a full stop without a space between them. */
const startsSentence = (text: string, end: number): boolean => /^\.[A-Z][a-z]/.test(text.slice(end, end + 3))

const isHex = (code: number): boolean =>
  isDigit(code) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46)

const isAddressCode = (code: number): boolean => isHex(code) || code === COLON || code === DOT

/** The IPv6 address around the colon at `at`; null when there is none. No address is longer than 45 characters. */
export function ipv6Around(text: string, at: number): { readonly start: number; readonly end: number } | null {
  let start = at
  while (start > 0 && at - start < 40 && isAddressCode(text.charCodeAt(start - 1))) start--
  // `address:fe80::1`
  if (text.charCodeAt(start) === COLON && text.charCodeAt(start + 1) !== COLON) start++
  let end = at
  while (end - at < 46 && isAddressCode(text.charCodeAt(end))) end++
  // `address: fe80::1.` and `fe80::1: no route`
  while (
    end > at &&
    (text.charCodeAt(end - 1) === DOT || (text.charCodeAt(end - 1) === COLON && text.charCodeAt(end - 2) !== COLON))
  )
    end--
  if (isWord(text.charCodeAt(end)) || wordBefore(text, start)) return null
  if (!mayBeAddress(text, start, end) || !isIPv6(text.slice(start, end))) return null
  const address = text.slice(start, end)
  const parts = address.split(':').filter((part) => part !== '')
  if (parts.length === 8 && parts.every((part) => part.length === 2)) return null
  // `dead::beef` may be code; a real address shows three groups, or the prefix of a link.
  if (
    !/\d/.test(address) ||
    (parts.length < 3 && !/^(?:f[cde]|[23][0-9a-f]{3}:)/i.test(address) && !address.includes('.'))
  )
    return null
  return { start, end }
}

/** Two to seven colons, never three in a row, and no group of more than four: asked before anything costly. */
function mayBeAddress(text: string, start: number, end: number): boolean {
  let colons = 0
  let group = 0
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === COLON) {
      if (++colons > 7) return false
      group = 0
    } else if (code !== DOT && ++group > 4 && !text.slice(start, end).includes('.')) return false
  }
  return colons >= 2 && end - start >= 6 && end - start <= 45
}
