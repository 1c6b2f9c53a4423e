// Lines that belong together: what a request writes on its way comes in fixed proportions. Where a line is missing although
// the lines that go with it are there, the way is broken between them, whatever the load. (Nezha compares the support of
// event patterns in a request: Yu et al., FSE 2023; without traces the proportions of counts stand in for the patterns.)
import type { LogLine } from '../core/telemetry.ts'
import { mask, TemplateMiner } from './log-templates.ts'
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
  readonly lines: readonly LogLine[]
}

/** Longer pauses lie between recordings. */
const PAUSE_MS = 30_000
/** Proportions are looked at minute by minute. */
const WINDOW_MS = 60_000
/** Fewer windows do not show what is usual. */
const LEAST_WINDOWS = 6
/** A line that is rarer in a window of a healthy time has no proportion. */
const LEAST_MEAN = 3
/** A proportion that strays further, between its 10th and 90th percentile and by its median, is none. */
const MOST_SPREAD = 0.6
/** So many partners have to miss the line. */
const WITNESSES = 2

interface Row {
  readonly service: string
  readonly id: number
  /** In each window of the healthy time. */
  readonly healthy: Float64Array
  mean: number
  count: number
  lines: LogLine[]
}

/** Lines of the incident that are missing beside those they go with. `healthy`: lines of a healthy time. */
export function findBrokenFlows(
  healthy: readonly LogLine[],
  logs: readonly LogLine[],
  callersOf: (service: string) => readonly string[],
): BrokenFlow[] {
  // Lines of one moment are no flow.
  if (logs.every(({ at }) => at === logs[0]?.at)) return []
  const { count, lines } = healthyWindows(healthy)
  if (count < LEAST_WINDOWS) return []
  const miner = new TemplateMiner()
  const rows = new Map<string, Row>()
  const rowOf = (service: string, masked: string): Row => {
    const id = miner.add(masked)
    const key = `${service}\u0000${id}`
    let row = rows.get(key)
    if (!row) {
      row = { service, id, healthy: new Float64Array(count), mean: 0, count: 0, lines: [] }
      rows.set(key, row)
    }
    return row
  }
  for (const { service, masked, window } of lines) {
    const row = rowOf(service, masked)
    row.healthy[window] = (row.healthy[window] ?? 0) + 1
  }
  for (const line of logs) {
    const row = rowOf(line.service, mask(line.message))
    row.count++
    if (row.lines.length < 3) row.lines.push(line)
  }
  const usual = [...rows.values()].filter((row) => {
    row.mean = row.healthy.reduce((sum, one) => sum + one, 0) / count
    return row.mean >= LEAST_MEAN
  })
  const byService = Map.groupBy(usual, ({ service }) => service)
  const found: BrokenFlow[] = []
  for (const row of usual) {
    const near = [row.service, ...callersOf(row.service)].flatMap((service) => byService.get(service) ?? [])
    const broken = missing(row, near)
    if (!broken) continue
    found.push({
      service: row.service,
      template: textOf(miner, row),
      partner: { service: broken.partner.service, template: textOf(miner, broken.partner) },
      expected: broken.expected,
      count: row.count,
      strength: broken.strength,
      lines: row.lines,
    })
  }
  return found
}

const textOf = (miner: TemplateMiner, row: Row): string => miner.findTemplate(row.id)?.text ?? ''

interface Missing {
  readonly partner: Row
  readonly expected: number
  readonly strength: number
}

/** How far a line is missing beside its steadiest partners: as the second of them says, so that one that surged proves nothing. */
function missing(row: Row, near: readonly Row[]): Missing | undefined {
  const partners = near
    .filter((one) => one !== row)
    .flatMap((partner) => {
      const usual = proportion(row.healthy, partner.healthy)
      return usual ? [{ partner, usual }] : []
    })
    .sort((a, b) => a.usual.spread - b.usual.spread)
    .slice(0, 5)
  const said = partners
    .map(({ partner, usual }): Missing => {
      const expected = usual.median * partner.count
      const least = usual.low * partner.count
      // As far as chance goes (Poisson), and as the proportion itself strays.
      const noise = Math.sqrt(expected + (0.4 * usual.spread * expected) ** 2)
      const far = noise > 0 ? (least - row.count) / noise : 0
      const share = expected > 0 ? 1 - row.count / expected : 0
      return { partner, expected, strength: clamp((far - 1) / 3, 0, 1) * clamp(share, 0, 1) }
    })
    .sort((a, b) => b.strength - a.strength)
  const witness = said[WITNESSES - 1]
  return witness && witness.strength > 0.15 ? witness : undefined
}

/** How many of `a` come on one of `b`, usually. */
function proportion(a: Float64Array, b: Float64Array) {
  const ratios: number[] = []
  for (let w = 0; w < a.length; w++) {
    const base = b[w] ?? 0
    if (base >= LEAST_MEAN) ratios.push((a[w] ?? 0) / base)
  }
  if (ratios.length < LEAST_WINDOWS) return undefined
  const sorted = Float64Array.from(ratios).sort()
  const median = quantileOf(sorted, 0.5)
  const low = quantileOf(sorted, 0.1)
  const spread = median > 0 ? (quantileOf(sorted, 0.9) - low) / median : Number.POSITIVE_INFINITY
  return spread <= MOST_SPREAD ? { median, low, spread } : undefined
}

interface HealthyLine {
  readonly service: string
  readonly masked: string
  /** Which one it stands in. */
  readonly window: number
}

interface Windows {
  readonly count: number
  readonly lines: readonly HealthyLine[]
}

const known = new WeakMap<readonly LogLine[], Windows>()

/** A healthy time cut into windows, none across a pause, and its lines masked: once for all the cases that are compared with it. */
function healthyWindows(healthy: readonly LogLine[]): Windows {
  const before = known.get(healthy)
  if (before) return before
  const lines: HealthyLine[] = []
  let current: LogLine[] = []
  let count = 0
  let startMs = 0
  let lastMs = Number.NEGATIVE_INFINITY
  for (const line of [...healthy].sort((a, b) => a.at - b.at)) {
    if (line.at - lastMs > PAUSE_MS) {
      current = []
      startMs = line.at
    } else if (line.at - startMs >= WINDOW_MS) {
      for (const one of current) lines.push({ service: one.service, masked: mask(one.message), window: count })
      count++
      current = []
      startMs = line.at
    }
    current.push(line)
    lastMs = line.at
  }
  const windows = { count, lines }
  known.set(healthy, windows)
  return windows
}
