// A body that is not what the route wants is the caller's mistake: a 400 that names the field.
import type { z } from 'zod'
import { ShopError } from './shop-error.ts'

export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ShopError(400, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not understood'}`)
}
