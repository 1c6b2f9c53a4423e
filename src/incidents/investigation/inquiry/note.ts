// What a step of the inquiry found out, as it is kept and read by the steps after it: questions asked, what they found in
// few lines, and what a model made of it.
import { z } from 'zod'
import { FAULT_KINDS } from '../../../core/fault-kinds.ts'
import { report } from '../../report.ts'
import { row } from './claim-ref.ts'
import { objection } from './deliberation.ts'
import { toolQuery } from './query.ts'

const spent = z.object({
  modelCalls: z.number(),
  toolCalls: z.number(),
  tokens: z.number(),
  costMicroUsd: z.number(),
  unpriced: z.number(),
  failures: z.number(),
})

/** A model's opinion. Its words are not kept here: only which lines it leans on, each written by code. */
export const hypothesis = z.object({
  by: z.string(),
  size: z.enum(['small', 'large']),
  service: z.string(),
  kind: z.enum(FAULT_KINDS),
  claims: z.array(row),
})
export type Hypothesis = z.infer<typeof hypothesis>

/** Questions of the lead to a specialist: who, and what. */
export const leadQuestion = z.object({ to: z.string(), query: toolQuery })
export type LeadQuestion = z.infer<typeof leadQuestion>

export const note = z.object({
  step: z.string(),
  round: z.number().int(),
  calls: z.array(z.object({ id: z.string(), query: toolQuery, rows: z.number().int(), error: z.string().nullable() })),
  /** The strongest lines, whole. */
  found: z.array(row),
  hypotheses: z.array(hypothesis),
  objections: z.array(objection),
  /** Claims of a model that named no line, said more than the line, or spoke of somebody else. */
  removed: z.number().int(),
  spent,
  /** Why it went no further. */
  stopped: z.string().nullable(),
  /** Of the lead, to the specialists. */
  questions: z.array(leadQuestion).optional(),
  runbooks: report.shape.runbooks,
  blind: report.shape.blind,
})
export type Note = z.infer<typeof note>
