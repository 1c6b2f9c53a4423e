// What an interrupted investigation waits for.
import { z } from 'zod'

export const wait = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('approval'), approvalId: z.string() }),
  z.object({ kind: z.literal('look'), atMs: z.number() }),
])
export type Wait = z.infer<typeof wait>
