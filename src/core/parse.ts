// Bytes and unknown values into shapes, with errors that name what is wrong.
import { isUtf8 } from 'node:buffer'
import type { z } from 'zod'
import { AppError } from './errors.ts'

/** Bytes as JSON. Throws `malformed` saying where it breaks. */
export function parseJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes)) throw new AppError('malformed', 'The body is not UTF-8.')
  return parseJsonText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
}

/** The same of what was decoded already. */
export function parseJsonText(text: string): unknown {
  if (text === '') throw new AppError('malformed', 'The body is empty. Send a JSON object.')
  try {
    // A byte order mark may precede the text.
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text)
  } catch (error) {
    throw new AppError('malformed', `The body is not JSON: ${(error as Error).message}.`, { cause: error })
  }
}

/** What is parsed, as it is called in an error: the whole, and a part of it. */
const BODY = ['The body', 'The field'] as const
export const QUERY = ['The query of the address', 'The query parameter'] as const

/** Throws `malformed` naming the first field at fault. */
export function parseAs<T extends z.ZodType>(
  schema: T,
  value: unknown,
  [whole, part]: readonly [string, string] = BODY,
): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const field = issue?.path.map(String).join('.') ?? ''
  throw new AppError(
    'malformed',
    `${field === '' ? whole : `${part} ${field}`} is not right: ${issue?.message ?? 'unknown problem'}.`,
    {
      ...(field === '' ? {} : { field }),
      cause: result.error,
    },
  )
}
