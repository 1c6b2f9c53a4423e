// JSON lines {id, text} on the command line, as they come; empty lines are passed over, wrong ones told with their number.
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import { AppError } from '../core/errors.ts'

export type Line =
  | { readonly kind: 'text'; readonly number: number; readonly id: string | number; readonly text: string }
  | { readonly kind: 'bad'; readonly number: number; readonly problem: string }

const shape = z.object({ id: z.union([z.string(), z.number()]), text: z.string() })

/** Throws AppError `not_found` where the input cannot be read. */
export async function* readTexts(input: Readable): AsyncGenerator<Line> {
  let number = 0
  try {
    for await (const written of createInterface({ input, crlfDelay: Infinity })) {
      number++
      const line = number === 1 ? written.replace(/^\uFEFF/, '') : written
      if (line.trim() !== '') yield parseLine(line, number)
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    throw new AppError('not_found', 'The texts cannot be read.', { cause: error })
  }
}

function parseLine(line: string, number: number): Line {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return { kind: 'bad', number, problem: 'is not JSON' }
  }
  const parsed = shape.safeParse(value)
  if (parsed.success) return { kind: 'text', number, ...parsed.data }
  const field = parsed.error.issues[0]?.path.join('.') ?? ''
  return { kind: 'bad', number, problem: field === '' ? 'is not an object' : `has no right ${field}` }
}
