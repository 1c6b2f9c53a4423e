// What a diagnosis says: causes, each with the evidence for and against it, and where every claim can be checked.
// As schemas, because reports are stored as JSON and parsed again when they are read.
import { z } from 'zod'
import { FAULT_KINDS } from '../core/fault-kinds.ts'
import { CHANGE_KINDS } from '../core/telemetry.ts'

const point = z.tuple([z.number(), z.number()])

/** Where a claim can be checked. */
export const evidenceRef = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('series'),
    service: z.string(),
    metric: z.string(),
    labels: z.record(z.string(), z.string()),
    /** PromQL that anyone can run again. */
    query: z.string(),
    unit: z.string(),
    fromMs: z.number(),
    toMs: z.number(),
    onsetMs: z.number().nullable(),
    /** Robust centre before and after the onset. */
    before: z.number().nullable(),
    after: z.number().nullable(),
    points: z.array(point),
  }),
  z.object({
    kind: z.literal('log'),
    service: z.string(),
    template: z.string(),
    countBefore: z.number(),
    countAfter: z.number(),
    /** Lines word for word, each with the reference its source understands. */
    lines: z.array(z.object({ at: z.number(), level: z.string(), message: z.string(), ref: z.string() })),
  }),
  z.object({
    kind: z.literal('change'),
    id: z.string(),
    at: z.number(),
    service: z.string(),
    changeKind: z.enum(CHANGE_KINDS),
    summary: z.string(),
    from: z.string().optional(),
    to: z.string().optional(),
    author: z.string().optional(),
  }),
  z.object({
    kind: z.literal('topology'),
    /** The path of the failure, from the first victim to the cause. */
    path: z.array(z.string()),
  }),
])
export type EvidenceRef = z.infer<typeof evidenceRef>

export const evidence = z.object({
  /** `e1`, `e2` …: what a sentence cites. */
  id: z.string(),
  /** One sentence, a fact: "inventory's connection pool was full from 03:12:40 (20 of 20, before 3 of 20)". */
  claim: z.string(),
  /** How far it moved the cause's score: above 0 speaks for, below 0 against. */
  weight: z.number(),
  ref: evidenceRef,
})
export type Evidence = z.infer<typeof evidence>

export const cause = z.object({
  service: z.string(),
  kind: z.enum(FAULT_KINDS),
  /** The series that shows it best. */
  metric: z.string(),
  score: z.number(),
  /** 0 to 1. */
  confidence: z.number(),
  onset: z.number().nullable(),
  evidence: z.array(evidence),
  against: z.array(evidence),
})
export type Cause = z.infer<typeof cause>
