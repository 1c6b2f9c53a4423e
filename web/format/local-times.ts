// Sentences say their times in UTC, for they are the same on every face; on the page, beside local times, that would
// mislead someone half asleep. Here the times in a text are found, to be shown as local ones.

const DAY_MS = 86_400_000

export type TextPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'time'; readonly at: number; readonly seconds: boolean }

/** `nearMs` says which day is meant where the text does not: the one that brings the time closest to it. */
export function findTimes(text: string, nearMs: number): readonly TextPart[] {
  const parts: TextPart[] = []
  let from = 0
  for (const match of text.matchAll(/\b(\d{4}-\d{2}-\d{2}[ T])?([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))? UTC\b/g)) {
    const [whole, day, hours, minutes, seconds] = match
    const at = momentOf(day, (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds ?? 0) * 1000, nearMs)
    if (at === undefined) continue
    if (match.index > from) parts.push({ kind: 'text', text: text.slice(from, match.index) })
    parts.push({ kind: 'time', at, seconds: seconds !== undefined })
    from = match.index + whole.length
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) })
  return parts
}

function momentOf(day: string | undefined, timeMs: number, nearMs: number): number | undefined {
  if (day !== undefined) {
    const dayMs = Date.parse(`${day.slice(0, 10)}T00:00:00Z`)
    return Number.isNaN(dayMs) ? undefined : dayMs + timeMs
  }
  const sameDay = Math.floor(nearMs / DAY_MS) * DAY_MS + timeMs
  return sameDay + Math.round((nearMs - sameDay) / DAY_MS) * DAY_MS
}
