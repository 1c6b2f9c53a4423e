// How the shoppers fare: totals, and the last ten seconds by route.
import { z } from 'zod'

const WINDOW_MS = 10_000

const share = z.object({ perSecond: z.number(), failedShare: z.number(), meanMs: z.number() })

export const loadStats = z.object({
  sent: z.number(),
  ok: z.number(),
  failed: z.number(),
  recentFailedShare: z.number(),
  recentMeanMs: z.number(),
  recentPerSecond: z.number(),
  recentByRoute: z.record(z.string(), share),
})
export type LoadStats = z.infer<typeof loadStats>

export const NO_LOAD: LoadStats = {
  sent: 0,
  ok: 0,
  failed: 0,
  recentFailedShare: 0,
  recentMeanMs: 0,
  recentPerSecond: 0,
  recentByRoute: {},
}

export interface Answered {
  readonly route: string
  readonly ok: boolean
  readonly tookMs: number
  readonly atMs: number
}

export interface Tally {
  add(answered: Answered): void
  stats(nowMs: number): LoadStats
}

export function createTally(): Tally {
  let recent: Answered[] = []
  let sent = 0
  let failed = 0
  const sum = (list: readonly Answered[]) => ({
    perSecond: list.length / (WINDOW_MS / 1000),
    failedShare: list.length === 0 ? 0 : list.filter((one) => !one.ok).length / list.length,
    meanMs: list.length === 0 ? 0 : list.reduce((total, one) => total + one.tookMs, 0) / list.length,
  })
  return {
    add: (answered) => {
      sent++
      if (!answered.ok) failed++
      recent.push(answered)
    },
    stats: (nowMs) => {
      recent = recent.filter((one) => one.atMs > nowMs - WINDOW_MS)
      const all = sum(recent)
      const routes = Map.groupBy(recent, (one) => one.route)
      return {
        sent,
        failed,
        ok: sent - failed,
        recentFailedShare: all.failedShare,
        recentMeanMs: all.meanMs,
        recentPerSecond: all.perSecond,
        recentByRoute: Object.fromEntries([...routes].map(([route, list]) => [route, sum(list)])),
      }
    },
  }
}
