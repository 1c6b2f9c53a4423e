// Moments by the clock on the wall of a place. A wall time is written as the moment at which UTC would show it, so that one
// can reckon in days and hours of the wall and only then ask when that is. An hour that summer time leaves out ends in the
// jump; of one that comes twice the first counts. So a later wall time is never an earlier moment.

/** ms, as if the place were on UTC. */
export type WallMs = number

/** To make one takes far longer than to use it. */
const formats = new Map<string, Intl.DateTimeFormat>()

/** What the wall shows, to the second. */
export function wallOf(timeZone: string, atMs: number): WallMs {
  let format = formats.get(timeZone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    })
    formats.set(timeZone, format)
  }
  const part = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]))
  const of = (type: Intl.DateTimeFormatPartTypes): number => part.get(type) ?? 0
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
}

/** Every moment, to the second, at which the wall shows this time: one, two where the hour comes twice, none where it is left out. */
export function momentsAt(timeZone: string, wall: WallMs): readonly number[] {
  const shifts = new Set([-DAY_MS, DAY_MS].map((by) => wallOf(timeZone, wall + by) - (wall + by)))
  return [...shifts]
    .map((shift) => wall - shift)
    .filter((at) => wallOf(timeZone, at) === wall)
    .sort((a, b) => a - b)
}

/** The first of them; the moment of the jump where there is none. */
export function momentAt(timeZone: string, wall: WallMs): number {
  const [first] = momentsAt(timeZone, wall)
  if (first !== undefined) return first
  const [jump] = shiftsBetween(timeZone, wall - DAY_MS, wall + DAY_MS)
  return jump ?? wall
}

/** When the clocks of the place are put forward or back, in order. */
export function shiftsBetween(timeZone: string, fromMs: number, toMs: number): readonly number[] {
  const offset = (at: number): number => wallOf(timeZone, at) - at
  const found: number[] = []
  // Whole seconds: offsets are.
  const start = Math.floor(fromMs / 1000) * 1000
  for (let at = start; at < toMs; at += DAY_MS) {
    let [low, high] = [at, at + DAY_MS]
    const before = offset(low)
    if (before === offset(high)) continue
    while (high - low > 1000) {
      const middle = low + Math.floor((high - low) / 2000) * 1000
      if (offset(middle) === before) low = middle
      else high = middle
    }
    if (high <= toMs) found.push(high)
  }
  return found
}

export const DAY_MS = 86_400_000

/** `2026-11-02T09:00` as a wall time; undefined when it is none. */
export function parseWall(text: string): WallMs | undefined {
  const written = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}))?$/.exec(text)
  if (!written) return undefined
  const iso = `${written[1]}T${written[2] ?? '00:00'}`
  const wall = Date.parse(`${iso}:00Z`)
  return Number.isNaN(wall) || new Date(wall).toISOString().slice(0, 16) !== iso ? undefined : wall
}

/** `2026-11-02 09:00 CET`, for people of that place. */
export function spellMoment(timeZone: string, atMs: number): string {
  const wall = new Date(wallOf(timeZone, atMs)).toISOString().slice(0, 16).replace('T', ' ')
  const zone = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'short' })
    .formatToParts(atMs)
    .find(({ type }) => type === 'timeZoneName')?.value
  return `${wall} ${zone ?? timeZone}`
}
