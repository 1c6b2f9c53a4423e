// How a report came to its ranking, as it is stored with it and shown: who voted for what with which weight, what the critic
// tried, why the looking ended, and what it cost.
import { z } from 'zod'
import { FAULT_KINDS } from '../../../core/fault-kinds.ts'

export const objection = z.object({
  by: z.enum(['rules', 'model']),
  /** What was tried: "was it there before?" */
  test: z.string(),
  outcome: z.enum(['stands', 'doubt', 'unknown']),
  reason: z.string(),
})
export type Objection = z.infer<typeof objection>

export const deliberation = z.object({
  rounds: z.number().int(),
  stopped: z.string(),
  votes: z.array(
    z.object({
      by: z.string(),
      service: z.string(),
      kind: z.enum(FAULT_KINDS),
      weight: z.number(),
      reason: z.string(),
    }),
  ),
  objections: z.array(objection),
  /** Models changed who comes first: a person has to decide, and nothing is proposed. */
  reordered: z.boolean(),
  /** Claims of models that did not hold, and were dropped. */
  claimsRemoved: z.number().int(),
  spent: z.object({
    modelCalls: z.number().int(),
    toolCalls: z.number().int(),
    tokens: z.number(),
    /** null where the price of a call is unknown. */
    costUsd: z.number().nullable(),
  }),
})
export type Deliberation = z.infer<typeof deliberation>
