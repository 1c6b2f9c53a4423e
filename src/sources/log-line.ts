// One line of a log as what it says: a JSON object by the configured names of its fields, anything else as a message
// of its own. A line too long to be read whole is read as far as it was kept.
import type { LogLevel } from '../core/telemetry.ts'
import { guessLevel, readLevel } from './log-level.ts'
import { leadingTime, readTime } from './log-time.ts'

/** Names of the fields; the first one present wins. `a.b` finds a key of that name, or `b` inside `a`. */
export interface LogFields {
  readonly time: readonly string[]
  readonly service: readonly string[]
  readonly level: readonly string[]
  readonly message: readonly string[]
  readonly requestId: readonly string[]
}

export interface ParsedLine {
  /** Undefined when the line does not tell. */
  readonly at: number | undefined
  readonly service: string | undefined
  readonly level: LogLevel
  readonly message: string
  readonly requestId?: string
  /** False for an object that ends in the middle: someone is still writing it, or it was clipped. */
  readonly whole: boolean
}

const MAX_MESSAGE_CHARS = 8000

export function parseLine(text: string, fields: LogFields): ParsedLine {
  const object = text.startsWith('{') ? parseObject(text) : undefined
  if (!object) return plainLine(text, fields)
  return { at: readTime(pick(object, fields.time)), ...readFields(object, fields, () => text), whole: true }
}

/** What an object says in its fields; `line` is its message where it has none. */
export function readFields(
  object: Readonly<Record<string, unknown>>,
  fields: LogFields,
  line: () => string,
): Pick<ParsedLine, 'service' | 'level' | 'message' | 'requestId'> {
  const said = pick(object, fields.message)
  const message = typeof said === 'string' ? said : said === undefined ? line() : printed(said, line)
  const requestId = asText(pick(object, fields.requestId))
  return {
    service: asText(pick(object, fields.service)),
    level: readLevel(pick(object, fields.level)) ?? guessLevel(message.slice(0, MAX_MESSAGE_CHARS)),
    message: clip(message),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

function plainLine(text: string, fields: LogFields): ParsedLine {
  const cut = text.startsWith('{')
  const message = clip(text)
  return {
    at: cut ? salvageTime(text, fields.time) : leadingTime(text),
    service: cut ? salvage(text, fields.service) : undefined,
    level: (cut ? readLevel(salvage(text, fields.level)) : undefined) ?? guessLevel(message),
    message,
    whole: !cut,
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}

/** Nesting deeper than the stack can be read, but not written: the line then speaks for itself. */
function printed(value: unknown, line: () => string): string {
  try {
    return JSON.stringify(value)
  } catch {
    return line()
  }
}

/** The first of these fields that has a value; `a.b` is also `b` inside `a`. */
function pick(object: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  for (const name of names) {
    const value = Object.hasOwn(object, name) ? object[name] : inside(object, name)
    if (value !== undefined && value !== null && value !== '') return value
  }
  return undefined
}

function inside(object: unknown, path: string): unknown {
  if (!path.includes('.')) return undefined
  let at = object
  for (const step of path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Readonly<Record<string, unknown>>)[step]
  }
  return at
}

/** The value of a field near the beginning of an object that cannot be read whole. */
function salvage(text: string, names: readonly string[]): string | undefined {
  const head = text.slice(0, 2000)
  for (const name of names) {
    const at = head.indexOf(`"${name}":`)
    const value = at === -1 ? undefined : /^\s*(?:"([^"\\]*)"|(\d[\d.]*))/.exec(head.slice(at + name.length + 3))
    if (value) return value[1] ?? value[2]
  }
  return undefined
}

const salvageTime = (text: string, names: readonly string[]) => readTime(salvage(text, names))

/** A field's value as a short text. */
const asText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, 200) : typeof value === 'number' ? String(value) : undefined

const clip = (text: string): string => (text.length > MAX_MESSAGE_CHARS ? `${text.slice(0, MAX_MESSAGE_CHARS)}…` : text)
