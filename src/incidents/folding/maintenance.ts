// Stretches of the week in which work is expected to set off alerts. Judged by the wall clock of a place, so that
// 02:00 stays 02:00 when summer time begins: the hour that happens twice counts twice, the one that is left out not at all.
import type { Matcher } from '../../core/label-matchers.ts'

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
type Day = (typeof DAYS)[number]

export interface MaintenanceWindow {
  readonly name: string
  readonly matchers: readonly Matcher[]
  /** The days on which it begins. */
  readonly days: readonly Day[]
  /** `22:00`. Where `to` is not after `from` it is meant on the next day. */
  readonly from: string
  readonly to: string
  readonly timeZone: string
}

/** Whether a window is open at a moment. `from` belongs to it, `to` does not. */
export function isOpen(
  { days, from, to, timeZone }: Omit<MaintenanceWindow, 'name' | 'matchers'>,
  atMs: number,
): boolean {
  const { day, time } = wallClock(timeZone, atMs)
  if (from < to) return days.includes(day) && from <= time && time < to
  const before = DAYS[(DAYS.indexOf(day) + 6) % 7] ?? day
  return (days.includes(day) && from <= time) || (days.includes(before) && time < to)
}

const formats = new Map<string, Intl.DateTimeFormat>()

function wallClock(timeZone: string, atMs: number): { day: Day; time: string } {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(timeZone, format)
  }
  const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, value]))
  return {
    day: DAYS.find((day) => day === parts.get('weekday')?.toLowerCase()) ?? 'mon',
    time: `${parts.get('hour')}:${parts.get('minute')}`,
  }
}
