// Who has to agree before the agent acts: how many people at which risk, for how long a proposal stands, and which hours
// make everything riskier. As it comes, nothing ever runs without a person.
import { z } from 'zod'
import { days, seconds, timeZone } from './fields.ts'

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'must be a time such as "09:30"')

/** A span that ends before it begins goes on over midnight. */
const hours = z.strictObject({
  days,
  from: timeOfDay,
  to: timeOfDay,
})

const risk = z.number().int().min(0)

export const approvalSchema = z.strictObject({
  expiresSeconds: seconds(4 * 3600),
  /** From this risk on, the page asks a second time. */
  confirmFromRisk: risk.max(10).default(6),
  policy: z
    .strictObject({
      /** Up to this risk it acts by itself. Left out: never. */
      nobodyUpToRisk: risk.max(10).optional(),
      /** From this risk on, two different people. 11: never two. */
      twoFromRisk: risk.max(11).default(9),
      /** Whether an action that made it worse is undone without asking again. */
      undoByItself: z.boolean().default(false),
    })
    .refine(({ nobodyUpToRisk = -1, twoFromRisk }) => nobodyUpToRisk < twoFromRisk, {
      path: ['nobodyUpToRisk'],
      message: 'must be less than twoFromRisk',
    })
    .prefault({}),
  timeZone: timeZone.default('UTC'),
  /** Outside of them everything is one step riskier. Left out: no hour is. */
  businessHours: hours.optional(),
  /** Within them everything is one step riskier: before the weekend, at the peak of the day. */
  riskyHours: z.array(hours).default([]),
})

export type ApprovalConfig = z.output<typeof approvalSchema>
