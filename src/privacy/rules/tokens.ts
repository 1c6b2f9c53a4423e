// Keys and tokens that can be told by their prefix, JSON web tokens, private keys in PEM and bearer tokens. The shapes
// are those that their issuers document for scanners. UUIDs, hashes and base64 without such a mark are not secrets.
import { isAlphanumeric, isDigit, isTokenCode, wordBefore } from '../characters.ts'

interface Shape {
  /** Further fixed characters that may have to follow. */
  readonly goesOn?: RegExp
  /** How many characters follow at the least. */
  readonly least: number
  readonly exactly?: true
}

/** By what stands up to and with the `-` or `_` that ends the first part of the prefix. */
const BY_PREFIX: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['sk-', { least: 20 }], // OpenAI, Anthropic, OpenRouter, DeepSeek
  ['sk_', { goesOn: /(?:live|test|prod)_/y, least: 16 }], // Stripe
  ['rk_', { goesOn: /(?:live|test|prod)_/y, least: 16 }],
  ['whsec_', { least: 24 }],
  ['mw_', { least: 20 }], // Midwatch
  ['ghp_', { least: 36 }],
  ['gho_', { least: 36 }],
  ['ghu_', { least: 36 }],
  ['ghs_', { least: 36 }],
  ['ghr_', { least: 36 }],
  ['github_', { goesOn: /pat_/y, least: 40 }],
  ['glpat-', { least: 20 }],
  ['gldt-', { least: 20 }],
  ['glrt-', { least: 20 }],
  ['xoxb-', { least: 20 }],
  ['xoxp-', { least: 20 }],
  ['xoxa-', { least: 20 }],
  ['xoxr-', { least: 20 }],
  ['xoxs-', { least: 20 }],
  ['xoxe-', { least: 20 }],
  ['xapp-', { least: 20 }],
  ['npm_', { least: 36 }],
  ['pypi-', { least: 50 }],
  ['hf_', { least: 30 }],
  ['gsk_', { least: 40 }],
  ['xai-', { least: 40 }],
  ['pplx-', { least: 40 }],
  ['r8_', { least: 36 }],
  ['tvly-', { least: 20 }],
  ['lsv2_', { goesOn: /(?:pt|sk)_/y, least: 30 }],
  ['dop_', { goesOn: /v1_/y, least: 60 }],
  ['shpat_', { least: 32 }],
  ['shpss_', { least: 32 }],
  ['shpca_', { least: 32 }],
  ['sq0atp-', { least: 20 }],
  ['sq0csp-', { least: 40 }],
  ['key-', { goesOn: /(?=[0-9a-f]{32}(?![\w-]))/y, least: 32, exactly: true }], // Mailgun
  ['dckr_', { goesOn: /pat_/y, least: 20 }],
  ['figd_', { least: 30 }],
  ['ntn_', { least: 40 }],
  ['secret_', { least: 40 }],
  ['lin_', { goesOn: /api_/y, least: 30 }],
  ['nvapi-', { least: 40 }],
  ['sbp_', { least: 40 }],
  ['sntrys_', { least: 40 }],
  ['dapi-', { least: 32 }],
  ['tskey-', { least: 20 }],
  ['vercel_', { least: 24 }],
  ['rnd_', { least: 24 }],
  ['glsa_', { least: 32 }],
  ['glc_', { least: 32 }],
])

const LONGEST_PREFIX = 8
const SHORTEST_REST = 16

/** `at` is a `-` or `_`. The token it belongs to, by its prefix. */
export function prefixedToken(text: string, at: number): { readonly start: number; readonly end: number } | null {
  // Most hyphens end here: behind no prefix do fewer characters of a token follow than these.
  if (!isTokenCode(text.charCodeAt(at + SHORTEST_REST))) return null
  for (let i = at + 1; i < at + SHORTEST_REST; i++) if (!isTokenCode(text.charCodeAt(i))) return null
  if (!isAlphanumeric(text.charCodeAt(at - 1)) || !isAlphanumeric(text.charCodeAt(at + 1))) return null
  let start = at - 1
  while (at - start <= LONGEST_PREFIX && isAlphanumeric(text.charCodeAt(start - 1))) {
    if (!wordBefore(text, start)) break
    start--
  }
  if (at - start > LONGEST_PREFIX) return null
  const shape = BY_PREFIX.get(text.slice(start, at + 1))
  if (!shape || wordBefore(text, start) || text.charCodeAt(start - 1) === 0x2d) return null
  let from = at + 1
  if (shape.goesOn) {
    shape.goesOn.lastIndex = from
    if (!shape.goesOn.test(text)) return null
    from = shape.goesOn.lastIndex
  }
  const end = tokenEnd(text, from)
  if (end - from < shape.least || (shape.exactly && end - from !== shape.least)) return null
  return looksRandom(text, from, end) ? { start, end } : null
}

function tokenEnd(text: string, from: number): number {
  let end = from
  while (isTokenCode(text.charCodeAt(end))) end++
  while (end > from && text.charCodeAt(end - 1) === 0x2d) end--
  return end
}

/** `sk-learn-compatible-estimators` is a name: words and dashes. A key has a digit, or capitals among small letters. */
function looksRandom(text: string, from: number, end: number): boolean {
  let [digits, upper, lower] = [0, 0, 0]
  const to = Math.min(end, from + 200)
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i)
    if (isDigit(code)) digits++
    else if (code >= 0x61 && code <= 0x7a) lower++
    else if (code >= 0x41 && code <= 0x5a) upper++
  }
  return digits >= 2 || (upper >= 4 && lower >= 4)
}

const AWS_KEY = /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?!\w)/y
const GOOGLE_KEY = /AIza[\w-]{35}(?![\w-])/y
const SENDGRID = /SG\.[\w-]{16,32}\.[\w-]{16,64}(?![\w-])/y
const WEB_TOKEN = /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*(?:\.[\w-]+){0,2}/y
const GOOGLE_OAUTH = /ya29\.[\w-]{20,}/y

/** A token that begins at `start` with a well-known beginning that has no separator. Where it ends, or -1. */
export function markedTokenEnd(text: string, start: number): number {
  if (start < 0 || wordBefore(text, start)) return -1
  switch (text.charCodeAt(start)) {
    case 0x41: // A
      return Math.max(match(AWS_KEY, text, start), match(GOOGLE_KEY, text, start))
    case 0x53: // S
      return match(SENDGRID, text, start)
    case 0x65: // e
      return match(WEB_TOKEN, text, start)
    case 0x79: // y
      return match(GOOGLE_OAUTH, text, start)
    default:
      return -1
  }
}

const BEARER = /bearer\s{1,4}([\w.~+/-]{16,}={0,2})/iy

/** The token behind the word `Bearer` at `start`. */
export function bearerToken(text: string, start: number): { readonly start: number; readonly end: number } | null {
  if (wordBefore(text, start)) return null
  const end = match(BEARER, text, start)
  if (end < 0) return null
  const from = end - (BEARER_TOKEN.exec(text.slice(start, end))?.[1]?.length ?? 0)
  return looksRandom(text, from, end) ? { start: from, end: withoutStop(text, end) } : null
}

const BEARER_TOKEN = /\s(\S+)$/

const withoutStop = (text: string, end: number): number => (text.charCodeAt(end - 1) === 0x2e ? end - 1 : end)

const PEM_BEGIN = /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/y
const PEM_END = /-----END [A-Z0-9 ]{0,40}-----/y

/** The private key whose first dash is at `start`. One that is cut off goes to the end of the text. */
export function privateKeyEnd(text: string, start: number): number {
  const head = match(PEM_BEGIN, text, start)
  if (head < 0) return -1
  const foot = text.indexOf('-----END ', head)
  return foot < 0 ? text.length : Math.max(match(PEM_END, text, foot), foot)
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}
