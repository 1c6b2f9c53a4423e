// Lines that belong together: what a request writes on its way comes in fixed proportions. Where a line is missing although
// the lines that go with it are there, the way is broken between them, whatever the load. (Nezha compares the support of
// event patterns in a request: Yu et al., FSE 2023; without traces the proportions of counts stand in for the patterns.)
import { isAtLeast } from '../core/log-level.ts'
import type { LogLine } from '../core/telemetry.ts'
import type { LogRow, LogTable } from './log-table.ts'
import { mentions } from './mentions.ts'
import { clamp, quantileOf } from './stats.ts'

export interface BrokenFlow {
  readonly service: string
  readonly template: string
  /** What it goes with, at the same service or at one that calls it. */
  readonly partner: { readonly service: string; readonly template: string }
  /** How many there should be for as many of the partner's, and how many there are. */
  readonly expected: number
  readonly count: number
  /** 0 to 1. */
  readonly strength: number
  /** How much of it is told by errors that blame somebody else: that could not be reached, or that did not answer; 0 to 1. */
  readonly excused: number
  readonly lines: readonly LogLine[]
}

/** Fewer windows do not show what is usual. */
const LEAST_WINDOWS = 6
/** A line that is rarer in a window of a healthy time has no proportion. */
const LEAST_MEAN = 1
/** A proportion that strays further, by its dispersion against chance, is none. */
const MOST_DISPERSION = 0.35
/** So many partners have to miss the line for full belief. */
const WITNESSES = 2

interface Row extends LogRow {
  readonly mean: number
}

/** Lines of the incident that are missing beside those they go with. `names`: services and peers that may be mentioned. */
export function findBrokenFlows(
  table: LogTable,
  names: readonly string[],
  callersOf: (service: string) => readonly string[],
): BrokenFlow[] {
  if (table.windows < LEAST_WINDOWS || table.incidentMs <= 1) return []
  const usual = table.rows
    .map((row): Row => ({ ...row, mean: row.healthy.reduce((sum, one) => sum + one, 0) / table.windows }))
    .filter(({ mean, service }) => mean >= LEAST_MEAN && !table.silent.has(service))
  const byService = Map.groupBy(usual, ({ service }) => service)
  const complaints = findComplaints(table, names)
  return usual.flatMap((row) => {
    const near = [row.service, ...callersOf(row.service)].flatMap((service) => byService.get(service) ?? [])
    const broken = missing(row, near)
    if (!broken) return []
    const { partner, expected, strength } = broken
    // What stops at a call stops for what is called; what never arrived cannot have been answered.
    const told = complaints
      .filter(({ by, about }) => by === partner.service && (by === row.service || about === row.service))
      .reduce((sum, complaint) => sum + complaint.count * linesLostTo(complaint, row, partner, broken.ratio), 0)
    return [
      {
        service: row.service,
        template: row.template,
        partner: { service: partner.service, template: partner.template },
        expected,
        count: row.count,
        strength,
        excused: clamp((1.2 * told) / Math.max(1, expected - row.count), 0, 1),
        lines: row.lines,
      },
    ]
  })
}

interface Complaint {
  readonly by: string
  readonly about: string
  /** In each healthy window, and in the incident. */
  readonly healthy: Float64Array
  readonly count: number
}

/** Errors that name somebody else. A line that names several is counted for the first of them only. */
function findComplaints(table: LogTable, names: readonly string[]): Complaint[] {
  return table.rows.flatMap(({ service, level, template, healthy, count, lines }) => {
    if (count === 0 || !isAtLeast(level, 'error')) return []
    const text = `${template} ${lines[0]?.message ?? ''}`
    const about = names.find((name) => name !== service && mentions(text, name))
    return about === undefined ? [] : [{ by: service, about, healthy, count }]
  })
}

/**
 * How many of a row's lines one complaint costs, 0 to 1, as the healthy time shows it: where the same complaint did not break
 * this proportion then, it does not excuse the break now. A complaint that is new is believed.
 */
function linesLostTo(complaint: Complaint, row: Row, partner: Row, ratio: number): number {
  let [lost, all, squares] = [0, 0, 0]
  for (const [w, count] of complaint.healthy.entries()) {
    if (count === 0) continue
    lost += count * Math.max(0, ratio * (partner.healthy[w] ?? 0) - (row.healthy[w] ?? 0))
    all += count
    squares += count * count
  }
  return all < 4 ? 1 : clamp(lost / squares, 0, 1)
}

interface Missing {
  readonly partner: Row
  /** How many of the row's lines come on one of the partner's. */
  readonly ratio: number
  readonly expected: number
  readonly strength: number
}

/** How far a line is missing beside the two lines it goes with most tightly: as the more doubtful of them says, so that a
 * partner that surged proves nothing. */
function missing(row: Row, near: readonly Row[]): Missing | undefined {
  // Most lines are nowhere near missing: that is seen without looking at windows.
  if (!near.some((partner) => (row.mean / partner.mean) * partner.count - row.count > 3)) return undefined
  const said = near
    .filter((one) => one !== row)
    .flatMap((partner) => {
      const usual = proportion(row, partner)
      return usual ? [{ partner, usual }] : []
    })
    .sort((a, b) => a.usual.dispersion - b.usual.dispersion || b.usual.windows - a.usual.windows)
    .slice(0, WITNESSES)
    .map(({ partner, usual }): Missing => {
      const expected = usual.ratio * partner.count
      // One line more or less is where the recording was cut; beyond that as far as the proportion strays in a healthy time.
      const noise = Math.sqrt(1 + usual.dispersion * expected)
      const far = (expected - row.count - 1) / noise
      const share = expected > 0 ? 1 - row.count / expected : 0
      return { partner, ratio: usual.ratio, expected, strength: clamp((far - 2) / 4, 0, 1) * clamp(share / 0.4, 0, 1) }
    })
    .sort((a, b) => a.strength - b.strength)
  const [witness] = said
  if (!witness) return undefined
  const strength = witness.strength * (said.length < WITNESSES ? 0.75 : 1)
  return strength > 0.15 ? { ...witness, strength } : undefined
}

/** How many of `a` come on one of `b`, usually, and the variance of that against what chance would give (1 is Poisson's). */
function proportion(a: Row, b: Row) {
  if (farApart(a, b)) return undefined
  const ratios: number[] = []
  for (let w = 0; w < a.healthy.length; w++) {
    const base = b.healthy[w] ?? 0
    if (base >= 2) ratios.push((a.healthy[w] ?? 0) / base)
  }
  if (ratios.length < LEAST_WINDOWS) return undefined
  const ratio = quantileOf(Float64Array.from(ratios).sort(), 0.5)
  if (ratio <= 0) return undefined
  const deviations: number[] = []
  for (let w = 0; w < a.healthy.length; w++) {
    const expected = ratio * (b.healthy[w] ?? 0)
    if (expected < 1) continue
    deviations.push(((a.healthy[w] ?? 0) - expected) ** 2 / expected)
  }
  if (deviations.length < LEAST_WINDOWS) return undefined
  const sorted = Float64Array.from(deviations).sort()
  // A mean without its largest tenth: a healthy time holds a few windows that were not.
  const kept = sorted.subarray(0, Math.ceil(0.9 * sorted.length))
  const dispersion = Math.max(LEAST_DISPERSION, kept.reduce((sum, one) => sum + one, 0) / kept.length)
  return dispersion <= MOST_DISPERSION ? { ratio, dispersion, windows: sorted.length } : undefined
}

/** Whether the two have plainly nothing to do with each other: told in one pass, for most pairs are like that. */
function farApart(a: Row, b: Row): boolean {
  const ratio = a.mean / b.mean
  let sum = 0
  for (let w = 0; w < a.healthy.length; w++) {
    const expected = ratio * (b.healthy[w] ?? 0)
    sum += ((a.healthy[w] ?? 0) - expected) ** 2 / (expected + 1)
  }
  return sum > 20 * MOST_DISPERSION * a.healthy.length
}

/** However tight a proportion was, it may stray by this much. */
const LEAST_DISPERSION = 0.1
