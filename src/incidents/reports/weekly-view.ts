// The shape of the report over a stretch of time, and exactly what each figure means. null is "not known" or "there were
// none"; nothing is guessed.
import { z } from 'zod'

/**
 * Over the `of` incidents (or decisions) of which it is known, in ms. Nearest rank: the least value that at least a half
 * (nine tenths) of them do not exceed. null where `of` is 0.
 */
const spread = z.object({ of: z.number().int(), medianMs: z.number().nullable(), p90Ms: z.number().nullable() })
export type Spread = z.infer<typeof spread>

export const weeklyReport = z.object({
  /** `from` is included, `to` is not. ms since the epoch. */
  from: z.number(),
  to: z.number(),
  alerts: z.object({
    /** Lives of alerts first received in the time: the same alert delivered again is one, and fired anew it is another. */
    in: z.number().int(),
    /** How often they were delivered in all, until now. */
    deliveries: z.number().int(),
    /** By what was decided on each. `waiting`: nothing yet. */
    opened: z.number().int(),
    joined: z.number().int(),
    ignored: z.number().int(),
    /** By a silence, a maintenance window or another alert. */
    muted: z.number().int(),
    waiting: z.number().int(),
    /** Kept, but nobody could read them: neither folded nor decided on. */
    notUnderstood: z.number().int(),
    /** Of those decided on, the share that opened no incident of its own, 0 to 1: (joined + ignored + muted) / decided. */
    foldedAway: z.number().nullable(),
    /** Of those decided on, the share that nobody had to act on: (ignored + muted) / decided. */
    noise: z.number().nullable(),
    /** By the rule that decided, most first. */
    byRule: z.array(z.object({ decision: z.string(), rule: z.string(), alerts: z.number().int() })),
    /** Alert names that came most often, with what became of them: the worst offenders first. */
    byName: z.array(
      z.object({
        name: z.string(),
        alerts: z.number().int(),
        deliveries: z.number().int(),
        opened: z.number().int(),
        joined: z.number().int(),
        ignored: z.number().int(),
        muted: z.number().int(),
      }),
    ),
    /** There were more alerts than are read for a report; the figures are of the first so many. */
    cutShort: z.boolean(),
  }),
  incidents: z.object({
    /** Opened in the time. */
    opened: z.number().int(),
    /** Of those, by how they stand now. */
    fixed: z.number().int(),
    recovered: z.number().int(),
    stillOpen: z.number().int(),
    /** Of those, the ones whose latest report named a cause, and the ones that were diagnosed without naming one. */
    causeNamed: z.number().int(),
    abstained: z.number().int(),
    cutShort: z.boolean(),
  }),
  times: z.object({
    /**
     * From the begin of the trouble to the opening of the incident. It began with the earliest alert of it, by that alert's
     * own word where it can be believed, or with the onset of the named cause where a closed incident has one that lies up
     * to an hour before.
     */
    detect: spread,
    /** From the opening to the first report that named a cause. */
    diagnose: spread,
    /** From a proposal to a person's approval or refusal. What the policy let pass, or was approved beforehand, waited for nobody. */
    approve: spread,
    /** From the opening to the closing, of those that were not merged into another. */
    resolve: spread,
  }),
  /** The model calls of the agent out of the ledger, made in the time; null where the ledger does not tell them apart. */
  model: z
    .object({
      calls: z.number().int(),
      /** The sum of what is known. */
      costUsd: z.number(),
      callsOfUnknownCost: z.number().int(),
    })
    .nullable(),
  right: z.object({
    /** Incidents opened in the time by the latest word of people on their diagnosis; what was withdrawn does not count. */
    saidRight: z.number().int(),
    saidWrong: z.number().int(),
    /** right / (right + wrong). */
    byFeedback: z.number().nullable(),
    /** Incidents with an action that was carried out for certain: those that ended verified as fixed, and the others. */
    mended: z.number().int(),
    notMended: z.number().int(),
    /** mended / (mended + notMended). */
    byFix: z.number().nullable(),
  }),
  /** Causes named twice or more among the incidents of the time and the thirty days before, once at least in the time. */
  recurring: z.array(
    z.object({
      service: z.string(),
      kind: z.string(),
      inTime: z.number().int(),
      before: z.number().int(),
      /** Their numbers, newest first. */
      incidents: z.array(z.number().int()),
    }),
  ),
  /** Of the incidents of the time, by the name in the catalogue. */
  actions: z.array(
    z.object({
      name: z.string(),
      proposed: z.number().int(),
      approved: z.number().int(),
      refused: z.number().int(),
      expiredOrVoid: z.number().int(),
      done: z.number().int(),
      failed: z.number().int(),
      uncertain: z.number().int(),
      /** Done, and the incident ended verified as fixed. */
      helped: z.number().int(),
    }),
  ),
})
export type WeeklyReport = z.infer<typeof weeklyReport>
