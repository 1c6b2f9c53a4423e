// The guard on the way to a provider: finds personal data in a request of any dialect and does with it what the policy
// says. It works on the bytes: where nothing is found they pass untouched, else only what was found is replaced. What a
// string hides behind JSON's escapes, also in JSON inside a string, is found like anything else.
import { type Splice, splice } from '../core/json-members.ts'
import { AppError } from '../core/errors.ts'
import { detect } from './detect.ts'
import { type JsonString, stringsAt } from './json-strings.ts'
import { isSecret, secretName } from './rules/passwords.ts'
import type { PiiType, Span } from './spans.ts'
import type { Region } from './surfaces.ts'
import { triggersInJson } from './triggers.ts'
import { Vault } from './vault.ts'

export interface PiiPolicy {
  /** mask: `[email]`, for good. pseudonymise: `[EMAIL-1]`, which the Restorer turns back. detect: only counted. */
  readonly action: 'off' | 'detect' | 'mask' | 'pseudonymise' | 'block'
  readonly types: readonly PiiType[]
}

/** What was found where, without the values. */
export interface Finding {
  readonly type: PiiType
  /** `messages.2.content` */
  readonly field: string
}

export type Guarded =
  /** The body goes on as it is; with `detect` something may have been found. */
  | { readonly kind: 'clean'; readonly found: readonly Finding[] }
  | { readonly kind: 'changed'; readonly body: Buffer; readonly vault: Vault; readonly found: readonly Finding[] }
  | { readonly kind: 'blocked'; readonly found: readonly Finding[] }

const CLEAN: Guarded = { kind: 'clean', found: [] }

/** `body` is JSON that JSON.parse accepts, in UTF-8. */
export function guard(body: Buffer, policy: PiiPolicy): Guarded {
  if (policy.action === 'off' || policy.types.length === 0) return CLEAN
  const raw = body.toString('latin1')
  const places = placesIn(raw)
  if (places.length === 0) return CLEAN
  const decode = (start: number, end: number): string => body.toString('utf8', start, end)
  const holders = holdersIn(raw, places, 'fields', decode, new Set(policy.types), 0)
  if (holders.length === 0) return CLEAN
  const found = holders.flatMap(findingsOf)
  if (policy.action === 'detect') return { kind: 'clean', found }
  if (policy.action === 'block') {
    // What the model itself wrote and signed is no reason to refuse what the caller asks.
    const told = holders.filter(({ string }) => string.kind === 'text').flatMap(findingsOf)
    return told.length === 0 ? { kind: 'clean', found } : { kind: 'blocked', found: told }
  }
  const vault = new Vault(policy.action === 'mask' ? '' : unescaped(body.toString('utf8')))
  const names = new Map<PiiType, Map<string, string>>(policy.types.map((type) => [type, new Map()]))
  eachTold(holders, (type, value) => {
    const named = names.get(type)
    if (named && !named.has(value))
      named.set(value, policy.action === 'mask' ? `[${type}]` : vault.placeholderFor(type, value))
  })
  const replace: Replace = (type, value) => names.get(type)?.get(value) ?? value
  return {
    kind: 'changed',
    body: splice(
      body,
      holders.flatMap((holder) => splicesOf(holder, replace)),
    ),
    vault,
    found,
  }
}

/** For the caller whose request was blocked: which kinds and where, never what. */
export function blockedError(found: readonly Finding[]): AppError {
  const places = [...new Set(found.map(({ type, field }) => `${NAMES[type]} in ${field}`))]
  const more = places.length > 5 ? `, and ${places.length - 5} more` : ''
  const field = found[0]?.field
  return new AppError(
    'content_blocked',
    `The request holds personal data that may not be sent to a model: ${places.slice(0, 5).join(', ')}${more}. Remove it and send the request again.`,
    field === undefined || field === '' ? {} : { field },
  )
}

const NAMES: Readonly<Record<PiiType, string>> = {
  email: 'an e-mail address',
  phone: 'a telephone number',
  card: 'a card number',
  ssn: 'a social security number',
  iban: 'a bank account (IBAN)',
  ip: 'an IP address',
  secret: 'a key or password',
}

/** A string in which something was found: in its own text, or in the strings of the JSON that it holds. */
interface Holder {
  readonly string: JsonString
  readonly text: string
  /** The text stands in the source as it is, character for byte. */
  readonly plain: boolean
  readonly spans: readonly Span[]
  readonly inner: readonly Holder[]
}

/** JSON in a string in JSON…: arguments of a tool, results that a tool dumped. Deeper than this nobody nests. */
const DEEPEST = 3

function holdersIn(
  json: string,
  places: readonly number[],
  region: Region,
  decode: (start: number, end: number) => string,
  types: ReadonlySet<PiiType>,
  depth: number,
): Holder[] {
  const holders: Holder[] = []
  stringsAt(json, places, region, (string) => {
    const written = decode(string.start, string.end)
    const text = written.includes('\\') ? unquoted(written) : written
    const inner = depth < DEEPEST && holdsJson(text) ? placesIn(text) : null
    if (inner) {
      const found = holdersIn(text, inner, 'free', (start, end) => text.slice(start, end), types, depth + 1)
      // Whatever is in it stands in the field of the whole.
      if (found.length > 0) holders.push({ string, text, plain: false, spans: [], inner: found })
      return
    }
    const spans = detectIn(string.label, text).filter(({ type }) => types.has(type))
    if (spans.length > 0)
      holders.push({ string, text, plain: text.length === string.end - string.start, spans, inner: [] })
  })
  return holders
}

/** With the name of the member before it, where that may say what the value is: `phone`, `password`. */
function detectIn(label: string, text: string): readonly Span[] {
  if (label === '' || label.length > 60) return detect(text)
  const named = secretName(label)
  if (named && isSecret(text, named, true)) return [{ start: 0, end: text.length, type: 'secret' }]
  const before = `${label}: `
  return detect(before + text)
    .filter(({ start }) => start >= before.length)
    .map(({ start, end, type }) => ({ start: start - before.length, end: end - before.length, type }))
}

function holdsJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text) || !/[}\]]\s*$/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function unquoted(written: string): string {
  try {
    return JSON.parse(`"${written}"`) as string
  } catch {
    return written
  }
}

/** All that JSON may write as `\uXXXX` of ASCII undone, wherever it stands. */
const unescaped = (text: string): string =>
  text.includes('\\u00')
    ? text.replace(/\\u00([2-7][0-9a-f])/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    : text

function findingsOf({ string, spans, inner }: Holder): Finding[] {
  const within = inner.flatMap(findingsOf).map(({ type }) => ({ type, field: string.field }))
  return [...spans.map(({ type }) => ({ type, field: string.field })), ...within]
}

/**
 * Every value that the caller, a tool or a document told; those outside the conversation first: `system` may stand
 * behind `messages`, which grow from call to call. Signed text tells nothing anew.
 */
function eachTold(holders: readonly Holder[], visit: (type: PiiType, value: string) => void): void {
  const tell = (holder: Holder): void => {
    for (const { type, start, end } of holder.spans) visit(type, holder.text.slice(start, end))
    holder.inner.forEach(tell)
  }
  const told = holders.filter(({ string }) => string.kind === 'text')
  told.filter(({ string }) => !GROWS.has(string.top)).forEach(tell)
  told.filter(({ string }) => GROWS.has(string.top)).forEach(tell)
}

const GROWS = new Set(['messages', 'input'])

type Replace = (type: PiiType, value: string) => string

function splicesOf(holder: Holder, replace: Replace): Splice[] {
  const { string, text, plain, spans } = holder
  if (string.isNumber)
    return [{ start: string.start, end: string.end, text: JSON.stringify(rewritten(holder, replace)) }]
  if (plain) {
    return spans.map(({ start, end, type }) => ({
      start: string.start + start,
      end: string.start + end,
      text: quoted(replace(type, text.slice(start, end))),
    }))
  }
  return [{ start: string.start, end: string.end, text: quoted(rewritten(holder, replace)) }]
}

function rewritten({ text, spans, inner }: Holder, replace: Replace): string {
  const edits = [
    ...spans.map(({ start, end, type }) => ({ start, end, text: replace(type, text.slice(start, end)) })),
    ...inner.flatMap((holder) => splicesOf(holder, replace)),
  ]
  let result = ''
  let from = 0
  for (const edit of edits) {
    result += text.slice(from, edit.start) + edit.text
    from = edit.end
  }
  return result + text.slice(from)
}

const quoted = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Bodies beyond this length are looked through for long base64 first. */
const LARGE = 32 * 1024
const LONG = 4 * 1024
const BASE64_KEY = /"(?:data|url|image_url|file_data|image_data|b64_json|result|signature|encrypted_content)"\s*:\s*$/

/** Where something may be found. Images and files in a large body are stepped over: base64 is full of such places. */
function placesIn(json: string): number[] {
  if (json.length < LARGE) return triggersInJson(json)
  const places: number[] = []
  let from = 0
  for (let open = json.indexOf('"'); open >= 0;) {
    const end = json.indexOf('"', open + 1)
    if (end < 0) break
    if (end - open > LONG && isBase64(json, open)) {
      for (const place of triggersInJson(json, from, open + 1)) places.push(place)
      from = end
    }
    // A quote within a string is no harm: what follows it is shorter, or no base64.
    open = json.indexOf('"', end + 1)
  }
  for (const place of triggersInJson(json, from)) places.push(place)
  return places
}

function isBase64(json: string, open: number): boolean {
  if (!BASE64_KEY.test(json.slice(Math.max(0, open - 40), open))) return false
  const head = json.slice(open + 1, open + 1024)
  return /^(?:data:[\w.+/-]{1,80};base64,)?[\w+/=-]{512,}$/.test(head)
}
