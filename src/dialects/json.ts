// Looking at JSON that somebody else wrote, on the way of every token: by hand, for a schema would cost more than the
// rest, and of a provider's words we must mind only those we know.
import { Buffer } from 'node:buffer'
import { AppError } from '../core/errors.ts'
import { layoutOf } from '../core/json-members.ts'

export type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

export const objectsIn = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : [])

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** No call uses more: a larger count is nonsense, and would make nonsense of every sum and budget it is added to. */
const MOST_TOKENS = 1_000_000_000

/** A count of tokens: null where there is none. */
export const countOf = (value: unknown): number | null =>
  typeof value === 'number' && value >= 0 && value <= MOST_TOKENS ? Math.round(value) : null

/** Names of members that say what something is, and are not something the model wrote. */
const LABELS = new Set(['role', 'id', 'type', 'index', 'annotations', 'signature'])

/** Characters in all strings of a value, whatever its members are called: content, reasoning, arguments. */
export function charactersWritten(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (value === null || typeof value !== 'object') return 0
  let sum = 0
  if (Array.isArray(value)) for (const item of value) sum += charactersWritten(item)
  else for (const key in value) if (!LABELS.has(key)) sum += charactersWritten((value as Json)[key])
  return sum
}

/** Without the members that are null or undefined. */
export function given<T extends Json>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const out: Partial<Record<keyof T, unknown>> = {}
  for (const key in members) if (members[key] !== undefined && members[key] !== null) out[key] = members[key]
  return out as { [K in keyof T]?: NonNullable<T[K]> }
}

/** JSON for a provider. Throws `malformed` where it is nested too deep to be written. */
export function jsonBytes(value: unknown): Buffer {
  try {
    return Buffer.from(JSON.stringify(value))
  } catch (error) {
    throw new AppError('malformed', 'The request is nested too deep.', { cause: error })
  }
}

/** Bytes of a member of a JSON object, as it came: written again, values nested deep would overflow the stack. */
export function memberBytes(json: Buffer, key: string): number {
  const found = layoutOf(json).members.filter((member) => member.key === key)
  return found.reduce((sum, { start, end }) => sum + end - start, 0)
}
