// The time of day and the day of the week by the clock of a place, so that 02:00 stays 02:00 when summer time begins: the
// hour that happens twice counts twice, the one that is left out not at all.
import { wallOf } from './zoned-time.ts'

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
type Day = (typeof DAYS)[number]

/** A stretch of each of these days. */
export interface Hours {
  /** The days on which it begins. */
  readonly days: readonly Day[]
  /** `22:00`. Where `to` is not after `from` it is meant on the next day; it may be `24:00`. */
  readonly from: string
  readonly to: string
}

export interface WallClock {
  readonly day: Day
  /** `22:00` */
  readonly time: string
}

/** `from` belongs to it, `to` does not. */
export function isWithin({ days, from, to }: Hours, { day, time }: WallClock): boolean {
  if (from < to) return days.includes(day) && from <= time && time < to
  // Over midnight: what began yesterday counts for yesterday.
  const before = DAYS[(DAYS.indexOf(day) + 6) % 7] ?? day
  return (days.includes(day) && from <= time) || (days.includes(before) && time < to)
}

export function wallClock(timeZone: string, atMs: number): WallClock {
  const wall = new Date(wallOf(timeZone, atMs))
  return { day: DAYS[(wall.getUTCDay() + 6) % 7] ?? 'mon', time: wall.toISOString().slice(11, 16) }
}

/** `2026-11-23 03:12 UTC` */
export const utcMinute = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
