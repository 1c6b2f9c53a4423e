// What may be limited, for whomever: the words are those of midwatch.yaml, and a key keeps its own in the same form.
import { z } from 'zod'

export const limitFields = {
  requestsPerMinute: z.number().int().positive().optional(),
  tokensPerMinute: z.number().int().positive().optional(),
  /** Calls under way at once. */
  concurrency: z.number().int().positive().optional(),
  budgetUsd: z
    .strictObject({ per: z.enum(['hour', 'day', 'week', 'month']), amount: z.number().nonnegative() })
    .optional(),
}

export const limitSet = z.strictObject(limitFields)

export type LimitConfig = z.output<typeof limitSet>
