// What Midwatch has learnt, as `/v1/lessons` shows it: from whom, what it does now, and how it is taken back.
import { z } from 'zod'

export const lessonView = z.object({
  /** `diagnosis-7`, `fix-7`, `action-restart`, `les_…`: what it is taken back by. */
  id: z.string(),
  /**
   * `diagnosis`: people said whether one was right. `fix`: an action was carried out, and verified.
   * `folding`: incidents were merged or split by hand. `action`: what came of the runs of an action so far.
   */
  kind: z.enum(['diagnosis', 'fix', 'folding', 'action']),
  at: z.number(),
  /** Who taught it; null where the running system did. */
  by: z.string().nullable(),
  /** The incident it was learnt from, by number; null where its words tell. */
  incident: z.number().int().nullable(),
  says: z.string(),
  /** What it does to investigations now. */
  effect: z.string(),
  /** What takes it back, and whether that can itself be undone. */
  takeBack: z.object({ command: z.string(), scope: z.string(), final: z.boolean() }),
})
export type LessonView = z.infer<typeof lessonView>

/** `GET /v1/lessons`, newest first. */
export const lessonList = z.object({ lessons: z.array(lessonView), cutShort: z.boolean() })
