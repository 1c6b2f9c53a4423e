// Whether it is an hour at which everything is riskier, by the clock of the people who would have to mend it.
import type { ApprovalConfig } from '../../../config/approval-schema.ts'
import { isWithin, wallClock } from '../../../core/wall-clock.ts'

/** Why this hour is a risky one ("Fri 16:40 is a risky hour"), or undefined. */
export function whyRiskyHour(
  { timeZone, businessHours, riskyHours }: Pick<ApprovalConfig, 'timeZone' | 'businessHours' | 'riskyHours'>,
  atMs: number,
): string | undefined {
  const now = wallClock(timeZone, atMs)
  const text = `${now.day.charAt(0).toUpperCase()}${now.day.slice(1)} ${now.time}`
  if (riskyHours.some((hours) => isWithin(hours, now))) return `${text} is a risky hour`
  if (businessHours && !isWithin(businessHours, now)) return `${text} is outside business hours`
  return undefined
}
