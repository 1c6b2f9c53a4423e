// Who is on call at a moment. A layer hands over at the same time of day by the clock of its place, whatever summer time does;
// of several layers the last that has somebody decides, and an override decides before all layers. Beginnings belong to a
// stretch, ends do not. Pure.
import { isWithin, wallClock } from '../../core/wall-clock.ts'
import { DAY_MS, momentAt, parseWall, wallOf } from '../../core/zoned-time.ts'
import type { LayerConfig, ScheduleConfig } from '../../config/routing-schema.ts'

/** Somebody stands in for whoever it would be. */
export interface Override {
  readonly id: string
  readonly person: string
  readonly fromMs: number
  readonly toMs: number
  /** Of several at one time, the one made last counts. */
  readonly createdAtMs: number
}

export type OnCall =
  | { readonly kind: 'person'; readonly person: string; readonly rule: string; readonly untilMs: number | null }
  | { readonly kind: 'gap'; readonly reason: string }

/** `untilMs` is when the override ends or the layer hands over next; something else may change it before. */
export function whoIsOnCall(schedule: ScheduleConfig, overrides: readonly Override[], atMs: number): OnCall {
  const [override] = overrides
    .filter(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs)
    .sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1))
  if (override) {
    const { person, toMs, id } = override
    return { kind: 'person', person, rule: `override ${id}`, untilMs: toMs }
  }
  for (const [i, layer] of [...schedule.layers.entries()].reverse()) {
    const shift = shiftAt(layer, schedule.timeZone, atMs)
    if (!shift || !countsAt(layer, schedule.timeZone, atMs)) continue
    const rule = schedule.layers.length === 1 ? `rotation` : `rotation of layer ${i + 1}`
    return { kind: 'person', person: shift.person, rule, untilMs: shift.toMs }
  }
  return { kind: 'gap', reason: 'no layer and no override has anybody then' }
}

export interface Shift {
  readonly person: string
  readonly fromMs: number
  /** null: nobody follows. */
  readonly toMs: number | null
}

/** Whose turn it is by the rotation alone; undefined before it begins and after it ends. */
export function shiftAt(layer: LayerConfig, timeZone: string, atMs: number): Shift | undefined {
  const first = parseWall(layer.from)
  if (first === undefined) return undefined
  const untilWall = layer.until === undefined ? undefined : parseWall(layer.until)
  const endMs = untilWall === undefined ? Number.POSITIVE_INFINITY : momentAt(timeZone, untilWall)
  const length = lengthOf(layer)
  const begins = (turn: number): number => momentAt(timeZone, first + turn * length)
  if (atMs < begins(0) || atMs >= endMs) return undefined
  // By the wall it is this turn or, around a change of the clocks, a neighbour of it.
  let turn = Math.floor((wallOf(timeZone, atMs) - first) / length)
  while (begins(turn) > atMs) turn--
  while (begins(turn + 1) <= atMs) turn++
  const person = layer.people[turn % layer.people.length]
  if (person === undefined) return undefined
  const toMs = Math.min(begins(turn + 1), endMs)
  return { person, fromMs: begins(turn), toMs: Number.isFinite(toMs) ? toMs : null }
}

/** Of one turn, by the wall. */
function lengthOf({ rotation }: LayerConfig): number {
  if (rotation === 'daily') return DAY_MS
  if (rotation === 'weekly') return 7 * DAY_MS
  return 'days' in rotation ? rotation.days * DAY_MS : rotation.hours * 3_600_000
}

const countsAt = ({ hours }: LayerConfig, timeZone: string, atMs: number): boolean =>
  hours === undefined || hours.some((one) => isWithin(one, wallClock(timeZone, atMs)))
