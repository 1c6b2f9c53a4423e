// The bytes of a webhook as JSON or text. Senders name their encoding, mark it with a byte order mark, or do neither; they
// send JSON as text/plain, inside a form, and inside a JSON string. What cannot be decoded is refused, saying why.
import { isUtf8 } from 'node:buffer'
import { AppError } from '../../core/errors.ts'
import { parseJsonText } from '../../core/parse.ts'
import { isObject, opened } from './loose.ts'
import type { JsonObject } from './sender.ts'

export type Body =
  | { readonly kind: 'json'; readonly objects: readonly JsonObject[]; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }

/** A list stands for so many bodies at most. */
const MAX_LIST = 10_000

/** Throws `malformed` and `unsupported_media`. `textToo`: this sender's bodies may be plain text. */
export function decodeBody(bytes: Uint8Array, contentType: string | undefined, textToo: boolean): Body {
  const { type, charset } = parseContentType(contentType)
  if (REFUSED.test(type))
    throw new AppError(
      'unsupported_media',
      `A body of the type ${type} cannot be read here. Send JSON (application/json).`,
    )
  const text = decode(bytes, charset)
  const form = type === 'application/x-www-form-urlencoded' ? readForm(text) : undefined
  if (form) return form
  const looksLikeJson = /^\s*[[{"]/.test(text)
  if (textToo && !looksLikeJson && text.trim() !== '' && type !== 'application/json') return { kind: 'text', text }
  return { kind: 'json', objects: objectsOf(parseJsonText(text)), text }
}

const REFUSED =
  /^(?:multipart\/|image\/|audio\/|video\/|application\/(?:xml|octet-stream|zip|gzip|pdf|x-protobuf|protobuf|msgpack)$|text\/(?:xml|html)$)/

function parseContentType(given: string | undefined): { type: string; charset: string | undefined } {
  const [type = '', ...parameters] = (given ?? '').toLowerCase().split(';')
  const charset = parameters
    .map((one) => /^\s*charset\s*=\s*"?([^"\s]+)"?/.exec(one)?.[1])
    .find((one) => one !== undefined)
  return { type: type.trim(), charset }
}

function decode(bytes: Uint8Array, charset: string | undefined): string {
  const marked = markOf(bytes)
  const encoding = marked ?? charset ?? guessWide(bytes) ?? (isUtf8(bytes) ? 'utf-8' : undefined)
  if (encoding === undefined)
    throw new AppError(
      'malformed',
      'The body is not UTF-8. Send it so, or name its encoding: content-type: …; charset=…',
    )
  let decoder: InstanceType<typeof TextDecoder>
  try {
    decoder = new TextDecoder(encoding, { fatal: true })
  } catch {
    throw new AppError(
      'unsupported_media',
      `The encoding ${encoding.slice(0, 50)} is not known here. Send the body as UTF-8.`,
    )
  }
  try {
    return decoder.decode(bytes)
  } catch (error) {
    const but = isUtf8(bytes) && encoding !== 'utf-8' ? ' It is UTF-8.' : ''
    throw new AppError('malformed', `The body is not ${encoding.toUpperCase()}, as it says it is.${but}`, {
      cause: error,
    })
  }
}

function markOf([a, b, c]: Uint8Array): string | undefined {
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  return a === 0xef && b === 0xbb && c === 0xbf ? 'utf-8' : undefined
}

/** JSON begins with a character of ASCII, so that in UTF-16 one of its first two bytes is zero. */
function guessWide([a, b]: Uint8Array): string | undefined {
  if (a === 0 && b !== 0) return 'utf-16be'
  return b === 0 && a !== 0 ? 'utf-16le' : undefined
}

/** Names under which forms carry a JSON body. */
const FORM_FIELDS = ['payload', 'json', 'body', 'data', 'message', 'alert']

function readForm(text: string): Body | undefined {
  if (/^\s*[[{]/.test(text)) return undefined
  const fields = Object.fromEntries(new URLSearchParams(text.trim()))
  const carried = FORM_FIELDS.map((name) => fields[name]).find((value) => value !== undefined && /^\s*[[{]/.test(value))
  if (carried !== undefined) return { kind: 'json', objects: objectsOf(parseJsonText(carried)), text }
  if (Object.keys(fields).length === 0) throw new AppError('malformed', 'The form has no field.')
  return { kind: 'json', objects: [fields], text }
}

/** One body, or each of a list of them. */
function objectsOf(value: unknown): readonly JsonObject[] {
  // Some put their JSON into a JSON string.
  const inner = opened(value)
  if (isObject(inner)) return [unwrapped(inner)]
  if (!Array.isArray(inner))
    throw new AppError('malformed', `The body is ${kindOf(inner)}: send a JSON object, the body of a webhook.`)
  if (inner.length === 0) throw new AppError('malformed', 'The body is an empty list: it holds no alert.')
  if (inner.length > MAX_LIST)
    throw new AppError(
      'malformed',
      `The body is a list of ${inner.length}; at most ${MAX_LIST.toLocaleString('en')} are taken at once.`,
    )
  return inner.map((item: unknown, i) => {
    const each = opened(item)
    if (isObject(each)) return unwrapped(each)
    throw new AppError('malformed', `The field ${i} is ${kindOf(each)}: each item of the list has to be an object.`, {
      field: String(i),
    })
  })
}

/** Recipes of simulators carry the payload beside what is to be varied in it. */
function unwrapped(body: JsonObject): JsonObject {
  let inner = body
  for (let depth = 0; depth < MAX_WRAPPINGS; depth++) {
    const next = opened(inner['payload'])
    const rest = Object.keys(inner).filter((name) => name !== 'payload')
    if (!isObject(next) || !rest.every((name) => RECIPE.has(name))) return inner
    inner = next
  }
  return inner
}

const MAX_WRAPPINGS = 3
const RECIPE = new Set(['parameters', 'renders', 'alerts_type', 'weight'])

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'string' ? 'text' : `a ${typeof value}`
