// The periods of budgets: calendar hours, days, weeks (from Monday) and months, all in UTC.
import type { LimitConfig } from '../../core/limits.ts'

export type Period = NonNullable<LimitConfig['budgetUsd']>['per']

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** The first Monday after the epoch, which was a Thursday. */
const MONDAY_MS = 4 * DAY_MS

/** ms since the epoch. */
export function periodStart(per: Period, nowMs: number): number {
  switch (per) {
    case 'hour':
      return nowMs - modulo(nowMs, HOUR_MS)
    case 'day':
      return nowMs - modulo(nowMs, DAY_MS)
    case 'week':
      return nowMs - modulo(nowMs - MONDAY_MS, 7 * DAY_MS)
    case 'month': {
      const date = new Date(nowMs)
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
    }
  }
}

/** When the next one begins. */
export function periodEnd(per: Period, nowMs: number): number {
  switch (per) {
    case 'hour':
      return periodStart(per, nowMs) + HOUR_MS
    case 'day':
      return periodStart(per, nowMs) + DAY_MS
    case 'week':
      return periodStart(per, nowMs) + 7 * DAY_MS
    case 'month': {
      const date = new Date(nowMs)
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1)
    }
  }
}

const modulo = (n: number, by: number): number => ((n % by) + by) % by
