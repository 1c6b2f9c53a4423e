// The lab lives faster than a real system: what takes a minute there takes a few seconds here. Both kinds of alerting
// keep the same times.
import type { GroupingOptions } from './grouping.ts'

export const SCRAPE_SECONDS = 1

export const GROUPING: GroupingOptions = {
  groupBy: ['service'],
  groupWaitMs: 1000,
  groupIntervalMs: 4000,
  repeatIntervalMs: 60_000,
}
