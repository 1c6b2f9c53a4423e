// What a report says of earlier incidents: which looked the same, what they turned out to be, what ended them, and by how
// much they moved the ranking. As a schema, for it is stored with the report.
import { z } from 'zod'
import { FAULT_KINDS } from '../../core/fault-kinds.ts'

const causeName = z.object({ service: z.string(), kind: z.enum(FAULT_KINDS) })

export const pastCase = z.object({
  /** The reference: an incident that is closed. */
  incidentId: z.string(),
  number: z.number().int(),
  closedAt: z.number(),
  lastedMs: z.number(),
  /** 0 to 1: how sure it is that it was the same trouble. */
  likeness: z.number(),
  /** What both have and what only one has, most telling first. */
  shared: z.array(z.string()),
  differing: z.array(z.string()),
  /** As it was diagnosed then. */
  diagnosed: causeName.nullable(),
  standing: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('confirmed'), cause: causeName, by: z.string(), diagnosisWrong: z.boolean() }),
    z.object({ kind: z.literal('mended'), cause: causeName }),
    z.object({ kind: z.literal('wrong'), by: z.string(), really: z.string() }),
    z.object({ kind: z.literal('unconfirmed') }),
  ]),
  outcome: z.enum(['fixed', 'recovered']).nullable(),
  /** The action that was carried out last, and whether it was seen to help. */
  fix: z.object({ title: z.string(), helped: z.boolean() }).nullable(),
})
export type PastCase = z.infer<typeof pastCase>

export const past = z.object({
  /** "Third time in 30 days. Last time …": made of `cases` alone. */
  sentence: z.string(),
  /** The cause that was compared with: a case of another one is no earlier time of this. */
  cause: causeName.nullable(),
  cases: z.array(pastCase),
  nudges: z.array(
    z.object({
      service: z.string(),
      kind: z.enum(FAULT_KINDS),
      score: z.number(),
      confidence: z.number(),
      because: z.array(z.number()),
      reordered: z.boolean(),
    }),
  ),
})
export type Past = z.infer<typeof past>
