// Where a claim of an investigation can be checked: what a diagnosis cites (series, log lines, changes, paths), and beside
// that rows of the gateway's ledger, closed incidents and passages of the knowledge base.
import { z } from 'zod'
import { evidenceRef } from '../../../diagnosis/evidence.ts'

export const claimRef = z.discriminatedUnion('kind', [
  ...evidenceRef.options,
  z.object({
    kind: z.literal('calls'),
    model: z.string(),
    provider: z.string().nullable(),
    fromMs: z.number(),
    toMs: z.number(),
    calls: z.number().int(),
    failed: z.number().int(),
  }),
  z.object({ kind: z.literal('case'), incidentId: z.string(), number: z.number().int() }),
  z.object({
    kind: z.literal('passage'),
    collection: z.string(),
    document: z.string(),
    start: z.number().int(),
    end: z.number().int(),
    quote: z.string(),
  }),
])
export type ClaimRef = z.infer<typeof claimRef>

/** One line of what a tool found: written by code, with the place where it can be read again. */
export const row = z.object({
  /** `metrics.2.5`: the specialist, its call, the line. What a model cites. */
  id: z.string(),
  text: z.string(),
  /** Whom it speaks of. */
  service: z.string().nullable(),
  /** 0 to 1: how far from normal it is, by the numbers. What is normal supports no accusation. */
  strength: z.number(),
  ref: claimRef.nullable(),
})
export type Row = z.infer<typeof row>
/** As a tool gives it, before it has the number of a call. */
export type Found = Omit<Row, 'id'>
