// How far the clocks of senders are from ours. Nobody tells, so it is taken from what arrives: an alert cannot begin after
// it was received, and of many that were received over a while the quickest was under way for next to nothing. The least
// delay is the offset, as in NTP's clock filter (RFC 5905, section 10). A whole outage that is delivered late looks the
// same in one delivery; so a clock counts as slow only when that holds over ten minutes.
import type { Db } from '../../db/connect.ts'
import type { AlertRow, IncidentTables } from '../tables.ts'

export interface SenderClocks {
  /** When an alert began by our clock, in ms since the epoch. Takes the alert into account for those that come. */
  correct(alert: Timed): Corrected
}

type Timed = Pick<AlertRow, 'tenant' | 'source' | 'url' | 'starts_at' | 'sent_starts_at' | 'first_at'>

export interface Corrected {
  readonly startsAtMs: number
  /** ms by which the sender's clock is ahead (above 0) or behind (below 0); 0 where it is believed. */
  readonly aheadMs: number
}

interface Sample {
  readonly atMs: number
  /** From the beginning by its clock to the receipt by ours. */
  readonly delayMs: number
}

const KEPT = 64
/** The one heard of longest ago is forgotten. */
const MAX_SENDERS = 1000
/** Less is believed. */
const WORTH_TELLING_MS = 60_000
/** Senders wait to group their alerts, minutes as a rule: less than this is no slow clock. */
const NO_GROUP_WAIT_MS = 6 * 60_000
const ENOUGH_TO_BE_SLOW = 8
const LONG_ENOUGH_TO_BE_SLOW_MS = 10 * 60_000
/** How long one word counts. */
const FRESH_MS = 3_600_000
/** More than this is no clock that is off but a time that means nothing. */
const MOST_MS = 26 * 3_600_000

export function createSenderClocks(): SenderClocks {
  const samples = new Map<string, Sample[]>()
  return {
    correct({ tenant, source, url, starts_at, sent_starts_at, first_at }) {
      // Its beginning is by our own clock.
      if (sent_starts_at !== null) return { startsAtMs: starts_at, aheadMs: 0 }
      const key = `${tenant} ${source} ${hostOf(url)}`
      const known = samples.get(key) ?? []
      const delayMs = first_at - starts_at
      if (Math.abs(delayMs) <= MOST_MS) {
        known.push({ atMs: first_at, delayMs })
        while (known.length > KEPT || (known[0] && known[0].atMs < first_at - FRESH_MS)) known.shift()
        samples.delete(key)
        samples.set(key, known)
        if (samples.size > MAX_SENDERS) samples.delete(samples.keys().next().value ?? '')
      }
      const aheadMs = offsetOf(known)
      return { startsAtMs: starts_at - aheadMs, aheadMs }
    },
  }
}

/** The time is by the clock of what made the alert, and its address names that. */
const hostOf = (url: string | null): string => (url !== null && URL.canParse(url) ? new URL(url).host : '')

function offsetOf(samples: readonly Sample[]): number {
  const least = samples.reduce((min, { delayMs }) => Math.min(min, delayMs), Infinity)
  if (least <= -WORTH_TELLING_MS) return -least
  const [first] = samples
  const spanMs = (samples.at(-1)?.atMs ?? 0) - (first?.atMs ?? 0)
  const slow = samples.length >= ENOUGH_TO_BE_SLOW && spanMs >= LONG_ENOUGH_TO_BE_SLOW_MS && least >= NO_GROUP_WAIT_MS
  return slow && Number.isFinite(least) ? -least : 0
}

/** What came last, so that a start does not forget whose clock is off. */
export async function rememberClocks(db: Db<IncidentTables>, clocks: SenderClocks): Promise<void> {
  const rows = await db
    .selectFrom('alerts')
    .select(['tenant', 'source', 'url', 'starts_at', 'sent_starts_at', 'first_at'])
    .where('decision', 'is not', null)
    .orderBy('id', 'desc')
    .limit(500)
    .execute()
  for (const row of rows.toReversed()) clocks.correct(row)
}
