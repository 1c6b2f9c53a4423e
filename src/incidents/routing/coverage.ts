// A schedule over a stretch of time: who has it when, and when nobody has. It changes only at hand-overs, at the borders of
// hours and overrides, and where the clocks are changed; between two of those one look is enough. Pure.
import type { ScheduleConfig } from '../../config/routing-schema.ts'
import { DAY_MS, momentAt, momentsAt, parseWall, shiftsBetween, wallOf } from '../../core/zoned-time.ts'
import { type Override, shiftAt, whoIsOnCall } from './schedule.ts'

export interface Stretch {
  /** null: nobody. */
  readonly person: string | null
  readonly rule: string
  readonly fromMs: number
  readonly toMs: number
}

/** Nobody plans further, and each hand-over costs a little. */
const MOST_BORDERS = 20_000

/** `from` ≤ time < `to`, without holes; neighbours of one person and rule are one. */
export function stretchesOf(
  schedule: ScheduleConfig,
  overrides: readonly Override[],
  fromMs: number,
  toMs: number,
): readonly Stretch[] {
  const stretches: Stretch[] = []
  const borders = [...bordersOf(schedule, overrides, fromMs, toMs)].sort((a, b) => a - b)
  for (const [i, at] of borders.entries()) {
    const until = borders[i + 1] ?? toMs
    if (until <= at) continue
    const now = whoIsOnCall(schedule, overrides, at)
    const person = now.kind === 'person' ? now.person : null
    const rule = now.kind === 'person' ? now.rule : now.reason
    const last = stretches.at(-1)
    if (last?.person === person && last.rule === rule) stretches[stretches.length - 1] = { ...last, toMs: until }
    else stretches.push({ person, rule, fromMs: at, toMs: until })
  }
  return stretches
}

/** When nobody is on call. */
export const gapsIn = (stretches: readonly Stretch[]): readonly Stretch[] =>
  stretches.filter(({ person }) => person === null)

function bordersOf(
  { layers, timeZone }: ScheduleConfig,
  overrides: readonly Override[],
  fromMs: number,
  toMs: number,
): ReadonlySet<number> {
  const borders = new Set([fromMs])
  const add = (at: number): void => {
    if (at > fromMs && at < toMs && borders.size < MOST_BORDERS) borders.add(at)
  }
  for (const { fromMs: begins, toMs: ends } of overrides) {
    add(begins)
    add(ends)
  }
  for (const layer of layers) {
    const first = parseWall(layer.from)
    const begins = first === undefined ? fromMs : momentAt(timeZone, first)
    add(begins)
    let shift = shiftAt(layer, timeZone, Math.max(fromMs, begins))
    while (shift?.toMs != null && shift.toMs < toMs && borders.size < MOST_BORDERS) {
      add(shift.toMs)
      shift = shiftAt(layer, timeZone, shift.toMs)
    }
    if (!layer.hours) continue
    for (const at of shiftsBetween(timeZone, fromMs, toMs)) add(at)
    const firstDay = Math.floor(wallOf(timeZone, fromMs) / DAY_MS) - 1
    const lastDay = Math.ceil(wallOf(timeZone, toMs) / DAY_MS) + 1
    for (let day = firstDay; day <= lastDay && borders.size < MOST_BORDERS; day++)
      for (const { from, to } of layer.hours)
        for (const time of [from, to]) for (const at of momentsAt(timeZone, day * DAY_MS + timeOfDayMs(time))) add(at)
  }
  return borders
}

function timeOfDayMs(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return (hours * 60 + minutes) * 60_000
}
