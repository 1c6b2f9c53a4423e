// Zod shapes for the fields of webhooks, which many hands write: a number where text is expected is its text, an object
// that was put into a string is opened, and what cannot be taken counts as not said. None of them ever fails.
import { z } from 'zod'
import { parseAnyTime } from '../alert-times.ts'
import type { JsonObject } from './sender.ts'

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Text, trimmed and not empty. Templates and clients that have nothing to say write `null`, `None` or `undefined`. */
export const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return NOTHING.has(text) ? undefined : text
}

const NOTHING = new Set(['', 'null', 'None', 'undefined', 'N/A', '<no value>'])
const MAX_OPENED = 1024 * 1024

/** An object or list that was written into a string, as some templates do; anything else as it is. */
export function opened(value: unknown): unknown {
  if (typeof value !== 'string' || value.length > MAX_OPENED || !/^\s*[[{]/.test(value)) return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}

export const text = z.unknown().optional().transform(textOf)
export const time = z.unknown().optional().transform(parseAnyTime)
export const anything = z.unknown().optional()

/** An object with these fields; empty where there is none. */
export const part = <T extends z.ZodRawShape>(shape: T) =>
  z
    .unknown()
    .optional()
    .transform((value) => {
      const inner = opened(value)
      return isObject(inner) ? inner : {}
    })
    .pipe(z.object(shape))

/** The objects of a list; a single object is a list of one. */
export const parts = <T extends z.ZodRawShape>(shape: T) =>
  z
    .unknown()
    .optional()
    .transform((value) => {
      const inner = opened(value)
      return (Array.isArray(inner) ? inner : [inner]).filter(isObject)
    })
    .pipe(z.array(z.object(shape)))

/** The texts of a list, or of one text in which commas part them. */
export const texts = z
  .unknown()
  .optional()
  .transform((value): readonly string[] => {
    const inner = opened(value)
    const items: readonly unknown[] = Array.isArray(inner) ? inner : typeof inner === 'string' ? inner.split(',') : []
    return items.map(textOf).filter((item) => item !== undefined)
  })

/** The plain values of an object, by name. */
export const textByName = z
  .unknown()
  .optional()
  .transform((value): Readonly<Record<string, string>> => {
    const inner = opened(value)
    if (!isObject(inner)) return {}
    return Object.fromEntries(
      Object.entries(inner).flatMap(([name, each]) => {
        const said = textOf(each)
        return said === undefined ? [] : [[name, said] as const]
      }),
    )
  })

/** `env:prod` and `{"key": "env", "value": "prod"}` and `["env", "prod"]` as what they mean. */
export function tagsOf(value: unknown): Readonly<Record<string, string>> {
  const inner = opened(value)
  if (isObject(inner)) return textByName.parse(inner)
  const items: readonly unknown[] = Array.isArray(inner) ? inner : typeof inner === 'string' ? inner.split(',') : []
  return Object.fromEntries(items.flatMap(tagOf))
}

function tagOf(item: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(item)) {
    const [name, value] = item.map(textOf)
    return name !== undefined && value !== undefined ? [[name, value]] : []
  }
  if (isObject(item)) {
    const name = textOf(item['key'] ?? item['name'])
    const value = textOf(item['value'])
    return name !== undefined && value !== undefined ? [[name, value]] : []
  }
  const said = textOf(item) ?? ''
  const at = said.search(/[:=]/)
  const name = at < 0 ? '' : said.slice(0, at).trim()
  const value = said.slice(at + 1).trim()
  return name !== '' && value !== '' ? [[name, value]] : []
}
