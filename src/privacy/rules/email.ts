// Addresses around an `@` (or its `%40` in a URL), and what stands before the `@` in a URL: `user:password@host` is no
// address but holds a password.
import { isAlphanumeric, isEscapeLetter, isLetter } from '../characters.ts'
import type { Span } from '../spans.ts'

/** Endings that files have and no domain does: `icon@2x.png`, `getty@tty1.service`. */
const NO_DOMAIN = new Set(
  'png jpg jpeg gif svg webp bmp ico css scss js mjs cjs jsx tsx json html htm xml yml yaml toml txt csv pdf doc docx gz tgz tar exe dll php service socket timer target mount'.split(
    ' ',
  ),
)

const isLocal = (code: number): boolean =>
  isAlphanumeric(code) ||
  code === 0x2e ||
  code === 0x5f ||
  code === 0x2b ||
  code === 0x2d ||
  code === 0x27 ||
  code === 0x25 ||
  code === 0x26

/** `at` is the sign, `behind` the first character after it. */
export function emailAround(text: string, at: number, behind: number): Span | null {
  const credentials = behind - at === 1 ? inUrl(text, at) : null
  if (credentials !== null) return credentials.password
  let start = at
  while (start > 0 && at - start <= 64 && isLocal(text.charCodeAt(start - 1))) start--
  if (at - start > 64) return null
  if (text.charCodeAt(start - 1) === 0x5c && isEscapeLetter(text.charCodeAt(start))) start++
  while (start < at && !isAlphanumeric(text.charCodeAt(start)) && text.charCodeAt(start) !== 0x5f) start++
  if (start === at || text.charCodeAt(at - 1) === 0x2e) return null
  const end = domainEnd(text, behind)
  if (end < 0) return null
  // `git@host:path` names a repository, and everybody has the same user.
  if (text.slice(start, at) === 'git' && text.charCodeAt(end) === 0x3a) return null
  return { start, end, type: 'email' }
}

function domainEnd(text: string, from: number): number {
  let end = from
  let dots = 0
  let labelStart = from
  let lastDot = -1
  for (; end - from < 254; end++) {
    const code = text.charCodeAt(end)
    if (code === 0x2e) {
      if (end === labelStart || !isAlphanumeric(text.charCodeAt(end + 1))) break
      dots++
      lastDot = end
      labelStart = end + 1
    } else if (!isAlphanumeric(code) && code !== 0x2d) break
  }
  while (end > from && text.charCodeAt(end - 1) === 0x2d) end--
  if (dots === 0 || !isAlphanumeric(text.charCodeAt(from))) return -1
  const domain = text.slice(from, end)
  if (hasTop(domain)) return end
  // `jo@example.com.pdf` is an address with a file's ending, `icon@2x.min.png` is not.
  const shorter = domain.slice(0, lastDot - from)
  return dots > 1 && !/^\d/.test(domain) && hasTop(shorter) ? lastDot : -1
}

function hasTop(domain: string): boolean {
  const top = domain.slice(domain.lastIndexOf('.') + 1)
  if (top.length < 2 || top.length > 24 || !isLetter(top.charCodeAt(0)) || NO_DOMAIN.has(top.toLowerCase()))
    return false
  return top.startsWith('xn--') || !/[\d-]/.test(top)
}

/** Whether the `@` belongs to `scheme://user:password@host`, and where the password is, if one is there. */
function inUrl(text: string, at: number): { readonly password: Span | null } | null {
  let from = at
  let colon = -1
  for (; at - from <= 256; from--) {
    const code = text.charCodeAt(from - 1)
    if (code === 0x2f) break
    if (code === 0x3a) colon = from - 1
    // A space, a quote, an angle bracket, a query or another @: this is no authority. (NaN: the beginning.)
    if (
      !(code > 0x20) ||
      code === 0x40 ||
      code === 0x22 ||
      code === 0x3c ||
      code === 0x3e ||
      code === 0x3f ||
      code === 0x23
    )
      return null
  }
  // JSON may write each slash with a backslash before it.
  if (!/:(?:\\?\/){2}$/.test(text.slice(Math.max(0, from - 5), from))) return null
  const value = text.slice(colon + 1, at)
  const written = colon > 0 && value !== '' && !/^(?:[$%{<[]|\*+$|x{3,}$)/i.test(value)
  return { password: written ? { start: colon + 1, end: at, type: 'secret' } : null }
}
