// `agent.folding`: which alerts become one incident, and which become none for the time being.
import { z } from 'zod'
import { matchesEverything, matcherText, parseMatcher } from '../core/label-matchers.ts'
import { days, name, seconds, timeZone } from './fields.ts'

/** 0 is allowed: never. */
const secondsOrNever = (fallback: number) =>
  z
    .number()
    .nonnegative()
    .max(30 * 86_400)
    .default(fallback)

const labelName = z.string().min(1).max(300)

const matchers = z
  .array(matcherText)
  .min(1)
  .refine((all) => !matchesEverything(all.map(parseMatcher)), 'would match every alert; name at least one label value')

const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 02:30')

/** A stretch of every week (or day) in which matching alerts are only kept. `to` before `from` is on the next day. */
const maintenanceWindow = z.strictObject({
  name,
  matchers,
  /** The days on which it begins. */
  days,
  from: timeOfDay,
  to: timeOfDay,
  timeZone: timeZone.default('UTC'),
})

/** While an alert that matches `source` fires, those that match `target` and agree in the labels of `equal` are kept only. */
const inhibition = z.strictObject({ source: matchers, target: matchers, equal: z.array(labelName).default([]) })

export const foldingSchema = z.strictObject({
  /** Labels whose values, when the same, make one incident, as Alertmanager's `group_by`. */
  groupBy: z.array(labelName).max(20).default([]),
  /** How long an incident collects alerts before it is looked at. */
  groupWaitSeconds: seconds(30),
  /** How long after new alerts joined an incident that was looked at it is looked at again. */
  groupIntervalSeconds: seconds(300),
  /** Alerts this close together can belong to one incident. */
  windowSeconds: seconds(300),
  /** An alert that is not delivered again for this long counts as ended. Longer than the sender's repeat interval. */
  silentAfterSeconds: seconds(12 * 3600),
  /** A closed incident opens again when the same alert fires within this time; 0: never. */
  reopenWithinSeconds: secondsOrNever(600),
  /** From this share of words in common on, alerts that name nothing belong together; 1: only the same words. */
  textSimilarity: z.number().positive().max(1).default(0.6),
  flapping: z
    .strictObject({
      /** An alert that begins this often within the window flaps. */
      times: z.number().int().min(2).max(1000).default(4),
      windowSeconds: seconds(3600),
      /** It flaps no more when it neither began nor ended for this long. */
      stableSeconds: seconds(900),
    })
    .prefault({}),
  maintenance: z.array(maintenanceWindow).max(200).default([]),
  inhibit: z.array(inhibition).max(200).default([]),
})

export type FoldingSettings = z.output<typeof foldingSchema>
