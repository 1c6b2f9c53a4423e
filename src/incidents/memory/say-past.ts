// How earlier incidents are spoken of. Only numbers, dates, names of services and kinds, and titles out of the action
// catalogue stand in these sentences: no text of an alert or of a log ever does.
import type { Past, PastCase } from './past.ts'
import { sameCause, type CauseName } from './standing.ts'

const MONTH_DAYS = 30
const DAY_MS = 86_400_000

/** Whether a case is an earlier time of the same trouble: it looked the same, and nothing known says it was another. */
export function isEarlierTime({ standing, diagnosed }: PastCase, cause: CauseName | null): boolean {
  switch (standing.kind) {
    case 'confirmed':
    case 'mended': {
      return cause === null || sameCause(standing.cause, cause)
    }
    case 'wrong': {
      return false
    }
    case 'unconfirmed': {
      return cause === null || diagnosed === null || sameCause(diagnosed, cause)
    }
  }
}

/** Empty when nothing looked the same. `nowMs` is when the incident at hand was opened. */
export function sayPast(cases: readonly PastCase[], cause: CauseName | null, nowMs: number): string {
  const byTime = [...cases].sort((a, b) => b.closedAt - a.closedAt)
  const times = byTime.filter((one) => isEarlierTime(one, cause))
  const [last] = times
  if (!last) {
    const [other] = byTime
    return other ? `It looks like incident ${other.number}, but ${sayOther(other)}.` : ''
  }
  const inMonth = times.filter(({ closedAt }) => nowMs - closedAt <= MONTH_DAYS * DAY_MS).length
  const often =
    inMonth > 0
      ? `${capitalOrdinal(inMonth + 1)} time in ${MONTH_DAYS} days`
      : `Seen before, ${daysAgo(nowMs - last.closedAt)}`
  const otherwise = byTime.find(({ standing }) => standing.kind === 'wrong')
  const doubt = otherwise ? ` Incident ${otherwise.number} looked the same, but ${sayOther(otherwise)}.` : ''
  return `${often}; last time ${sayEnd(last)} (incident ${last.number}).${doubt}`
}

function sayEnd({ fix, outcome }: PastCase): string {
  if (fix?.helped) return `“${fix.title}” fixed it`
  if (fix) return `“${fix.title}” was tried, and it is not certain that it helped`
  return outcome === 'recovered' ? 'it ended without an action' : 'it is not known what ended it'
}

function sayOther({ standing, diagnosed }: PastCase): string {
  switch (standing.kind) {
    case 'confirmed':
    case 'mended': {
      return `that was ${sayCause(standing.cause)}`
    }
    case 'wrong': {
      return `its diagnosis was marked wrong${standing.really === '' ? '' : `: it was ${standing.really}`}`
    }
    case 'unconfirmed': {
      return diagnosed === null ? 'its cause was not found' : `its cause was named as ${sayCause(diagnosed)}`
    }
  }
}

/** One earlier incident in a line: how alike, what it was, what ended it. */
export function sayCase(one: PastCase): string {
  const { standing, diagnosed, likeness, number } = one
  return `incident ${number} (likeness ${likeness.toFixed(2)}): ${sayWhat(standing, diagnosed)}; ${sayEnd(one)}`
}

function sayWhat(standing: PastCase['standing'], diagnosed: CauseName | null): string {
  switch (standing.kind) {
    case 'confirmed': {
      return `${sayCause(standing.cause)}, confirmed by ${standing.by}`
    }
    case 'mended': {
      return `${sayCause(standing.cause)}, confirmed by its fix`
    }
    case 'wrong': {
      const named = diagnosed === null ? '' : ` (${sayCause(diagnosed)})`
      return `its diagnosis${named} was marked wrong by ${standing.by}${standing.really === '' ? '' : `: it was ${standing.really}`}`
    }
    case 'unconfirmed': {
      return diagnosed === null ? 'its cause was not found' : `${sayCause(diagnosed)}, not confirmed`
    }
  }
}

export const sayCause = ({ service, kind }: CauseName): string => `${kind.replaceAll('_', ' ')} at ${service}`

/** One line for each cause that cases moved: by how much, and why. */
export function sayNudges({ nudges }: Pick<Past, 'nudges'>): string[] {
  return nudges.map(({ score, confidence, because, reordered, ...cause }) => {
    const which = because.map((number) => `incident ${number}`).join(', ')
    return `${sayCause(cause)}: score ${signed(score)}, confidence ${signed(confidence)}, for what was confirmed in ${which}${reordered ? '; this changed the order of the causes' : ''}`
  })
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value)}`

const ORDINALS = ['First', 'Second', 'Third', 'Fourth', 'Fifth', 'Sixth', 'Seventh', 'Eighth', 'Ninth', 'Tenth']
const capitalOrdinal = (n: number): string => ORDINALS[n - 1] ?? `${n}th`

function daysAgo(ms: number): string {
  const days = Math.round(ms / DAY_MS)
  return days <= 1 ? 'a day ago' : `${days} days ago`
}
