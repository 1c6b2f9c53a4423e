// Whether it is an hour at which everything is riskier, by the clock of the people who would have to mend it.
import type { ApprovalConfig, HoursConfig } from '../../../config/approval-schema.ts'

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
type Day = (typeof DAYS)[number]

interface WallClock {
  readonly day: Day
  readonly minute: number
}

/** Why this hour is a risky one ("it is Friday 16:40"), or undefined. */
export function whyRiskyHour(
  { timeZone, businessHours, riskyHours }: Pick<ApprovalConfig, 'timeZone' | 'businessHours' | 'riskyHours'>,
  atMs: number,
): string | undefined {
  const { day, minute, text } = wallClock(timeZone, atMs)
  const now = { day, minute }
  if (riskyHours.some((hours) => isWithin(hours, now))) return `${text} is a risky hour`
  if (businessHours && !isWithin(businessHours, now)) return `${text} is outside business hours`
  return undefined
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

function isWithin({ days, from, to }: HoursConfig, { day, minute }: WallClock): boolean {
  const begin = minutesOf(from)
  const end = minutesOf(to)
  if (begin < end) return days.includes(day) && minute >= begin && minute < end
  // Over midnight: what began yesterday counts for yesterday.
  return (days.includes(day) && minute >= begin) || (days.includes(dayBefore(day)) && minute < end)
}

const dayBefore = (day: Day): Day => DAYS[(DAYS.indexOf(day) + 6) % 7] ?? day

function wallClock(timeZone: string, atMs: number): WallClock & { readonly text: string } {
  const parts = new Map(
    new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  )
  const weekday = parts.get('weekday') ?? ''
  const time = `${parts.get('hour') ?? '00'}:${parts.get('minute') ?? '00'}`
  const day = DAYS.find((one) => one === weekday.toLowerCase()) ?? 'sun'
  return { day, minute: minutesOf(time), text: `${weekday} ${time}` }
}
