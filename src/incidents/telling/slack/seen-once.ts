// What was received already: Slack repeats what it thinks was lost, and others may repeat what they saw of it.
import type { Clock } from '../../../core/clock.ts'

/** Longer than a signed request is taken for, on either side of its time. */
const REMEMBERED_MS = 15 * 60_000
const MOST = 10_000

/** Whether an id is here for the first time. */
export function createSeenOnce(clock: Clock): (id: string) => boolean {
  // In the order of their arrival.
  const seen = new Map<string, number>()
  return (id) => {
    const now = clock.now()
    for (const [old, at] of seen) {
      if (at > now - REMEMBERED_MS && seen.size <= MOST) break
      seen.delete(old)
    }
    if (seen.has(id)) return false
    seen.set(id, now)
    return true
  }
}
