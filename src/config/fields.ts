// Fields that several parts of midwatch.yaml share.
import { z } from 'zod'
import { Secret } from '../core/secret.ts'
import { DAYS } from '../core/wall-clock.ts'

export const secret = z
  .string()
  .min(1)
  .transform((value) => new Secret(value))
/** What is sent as a header, or as a part of one. */
export const headerText = z
  .string()
  .regex(/^[\t\x20-\x7e]*$/, 'has a line break or another character that no header may have, perhaps at its end')
export const headerSecret = headerText.min(1).transform((value) => new Secret(value))
export const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' })
export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be letters, digits, ".", "_" or "-", at most 64')
/** As models are called in the field: `qwen3:8b`, `meta-llama/Llama-3.3-70B-Instruct`, `@cf/meta/llama-3.1-8b-instruct`. */
export const modelName = z
  .string()
  .regex(
    /^[A-Za-z0-9@][A-Za-z0-9._:/@+-]{0,199}$/,
    'must be letters, digits, ".", "_", "-", ":", "/", "@" or "+", at most 200',
  )
/** Timers cannot wait longer than 2^31 ms. */
const MAX_SECONDS = 24 * 86_400
export const seconds = (fallback: number) => z.number().positive().max(MAX_SECONDS).default(fallback)
export const milliseconds = (fallback: number) => z.number().int().positive().max(3_600_000).default(fallback)
export const days = z
  .array(z.enum(DAYS))
  .min(1)
  .default([...DAYS])
export const timeZone = z.string().refine(isTimeZone, 'must be a time zone such as Europe/Berlin')

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone }).format(0)
    return true
  } catch {
    return false
  }
}
