// What the embedded alerter and who started it say to each other: a config file in, and out a line for every alert
// that a receiver has acknowledged, which is what the receiver must never lose.
import { z } from 'zod'

export const alerterConfig = z.strictObject({
  targetFile: z.string(),
  webhookUrl: z.url(),
  /** Gets one JSON line for every alert in every notification that was acknowledged. */
  journal: z.string(),
})
export type AlerterConfig = z.infer<typeof alerterConfig>

export const acknowledgedAlert = z.object({
  at: z.number(),
  name: z.string(),
  service: z.string(),
  fingerprint: z.string(),
  startsAtMs: z.number(),
  status: z.enum(['firing', 'resolved']),
})
export type AcknowledgedAlert = z.infer<typeof acknowledgedAlert>
