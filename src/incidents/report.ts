// What an investigation ends in. Every claim carries its evidence; the page, the terminal and the notifications
// are views of this one value, and it is stored as JSON on its incident.
import { z } from 'zod'
import { ACTION_KINDS } from '../core/action-kinds.ts'
import { cause } from '../diagnosis/evidence.ts'
import { deliberation } from './investigation/inquiry/deliberation.ts'
import { past } from './memory/past.ts'

/** Exactly what will run, and what it would take back. */
export const proposedAction = z.object({
  /** The catalogue's name. */
  name: z.string(),
  does: z.enum(ACTION_KINDS),
  service: z.string(),
  /** Filled into the catalogue's request; shown as they are. */
  parameters: z.record(z.string(), z.string()),
  /** "Roll inventory back to 7e10b". */
  title: z.string(),
  expected: z.string(),
  undo: z.string(),
  touches: z.string(),
  /** 0 to 10, and what made it so. */
  risk: z.number().int(),
  riskReasons: z.array(z.string()),
  ifNothing: z.string(),
  /** Who calls the service, directly or through others: whom it may hurt. */
  callers: z.array(z.string()).optional(),
  /** The cause that it is to mend; absent where a person asked for it. */
  cause: z.object({ service: z.string(), kind: z.string() }).optional(),
  /** Hash of the request as it was filled when proposed: what runs must be what was approved. */
  fingerprint: z.string().optional(),
  /** What takes it back, where that is something that can be carried out: an action with a run of its own. */
  undoWith: z
    .object({
      name: z.string(),
      does: z.enum(ACTION_KINDS),
      parameters: z.record(z.string(), z.string()),
      title: z.string(),
      fingerprint: z.string(),
    })
    .optional(),
})
export type ProposedAction = z.infer<typeof proposedAction>

/** What is not to be done twice: an action on a service. */
export const actionKey = ({ name, service }: Pick<ProposedAction, 'name' | 'service'>): string => `${name} ${service}`

export const report = z.object({
  sentence: z.string(),
  /** Who wrote the sentence: `rules`, or the model's name. */
  writtenBy: z.string(),
  /** What users feel, as a phrase: "checkout fails for 31 % of requests". */
  effect: z.string(),
  /** Best first; empty when abstained. */
  causes: z.array(cause),
  abstained: z.boolean(),
  /** Services that were looked at and are not the cause, with the reason. */
  ruledOut: z.array(z.object({ service: z.string(), reason: z.string() })),
  /** What would settle it, when it is not settled. */
  missing: z.array(z.string()),
  /** Services touched, the guilty one first, and who calls whom among them. */
  map: z.object({
    services: z.array(z.object({ name: z.string(), role: z.enum(['cause', 'victim', 'bystander']) })),
    edges: z.array(z.object({ caller: z.string(), callee: z.string() })),
  }),
  /** What was read to get here: numbers for the page's foot. */
  looked: z.object({ series: z.number(), logLines: z.number(), changes: z.number(), tookMs: z.number() }),
  /** Sources that could not be read, by name, with why. */
  blind: z.array(z.object({ source: z.string(), reason: z.string() })),
  /** Claims that did not resolve when they were asked again, and were taken out. */
  claimsRemoved: z.number().int(),
  diagnosedAt: z.number(),
  /** How it came to its ranking; absent in reports from before that was kept. */
  deliberation: deliberation.optional(),
  /** Earlier incidents that looked the same; absent when none did. */
  past: past.optional(),
  /** Out of the knowledge base, best first: quotes word for word, for people to read. Data, whatever they say. */
  runbooks: z
    .array(
      z.object({
        collection: z.string(),
        document: z.string(),
        title: z.string(),
        source: z.string().nullable(),
        headings: z.array(z.string()),
        quote: z.string(),
        /** UTF-16 offsets in the document's text. */
        start: z.number().int(),
        end: z.number().int(),
        page: z.number().int().nullable(),
        /** How sure the search is that it fits, 0 to 1. */
        confidence: z.number(),
        /** It has text that speaks to a machine. */
        suspicious: z.boolean(),
      }),
    )
    .optional(),
})
export type Report = z.infer<typeof report>
