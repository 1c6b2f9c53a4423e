// How often each service writes each kind of line: in the windows of a healthy time, and in the incident. What comes and goes
// in a healthy time tells little by coming or going; only windows show that. The healthy time is worked out once for all the
// incidents that are compared with it.
import { isAtLeast } from '../core/log-level.ts'
import type { LogLevel, LogLine } from '../core/telemetry.ts'
import { mask, TemplateMiner } from './log-templates.ts'

export interface LogRow {
  readonly service: string
  readonly template: string
  readonly level: LogLevel
  /** Lines in each window of the healthy time. */
  readonly healthy: Float64Array
  /** Lines of the healthy time, those outside any window included. */
  readonly before: number
  /** Lines of the incident. */
  readonly count: number
  /** The first of them; meaningless where there are none. */
  readonly firstMs: number
  /** A few of them. */
  readonly lines: readonly LogLine[]
}

export interface LogTable {
  readonly rows: readonly LogRow[]
  /** Time that lines cover. */
  readonly healthyMs: number
  readonly incidentMs: number
  /** Of the healthy time; each about as long as `windowMs`. */
  readonly windows: number
  readonly windowMs: number
  /** Services that used to write many kinds of lines and write none: their lines are missing, not one of their ways. */
  readonly silent: ReadonlySet<string>
}

/** A service that always wrote so many kinds of lines does not stop all of them by a fault of its own and live on. */
const MANY_KINDS = 3

/** Longer pauses lie between recordings. */
const PAUSE_MS = 60_000
const WINDOW_MS = 60_000
/** A shorter recording is no window. */
const LEAST_WINDOW_MS = 20_000
const MAX_SAMPLES = 3

/** Lines of one service that are equal once their variables are masked. */
interface Bundle {
  readonly service: string
  readonly masked: string
  readonly windows: Float64Array
  count: number
  level: LogLevel
  readonly firstMs: number
  readonly lines: LogLine[]
}

/** The lines of a healthy time beside those of an incident. The order of neither matters. */
export function tabulateLogs(healthy: readonly LogLine[], incident: readonly LogLine[]): LogTable {
  const past = healthyTime(healthy)
  const { kept, lines } = partTimes(past, inOrder(incident))
  const now = bundlesOf(lines, () => -1, 0)
  const miner = new TemplateMiner()
  const ids = [...past.bundles, ...now].map(({ masked }) => miner.add(masked))
  const rows = new Map<string, { -readonly [K in keyof LogRow]: LogRow[K] }>()
  for (const [i, bundle] of [...past.bundles, ...now].entries()) {
    // Templates may have joined others since: what they are in the end counts.
    const template = miner.findTemplate(ids[i] ?? 0)
    const { service, level, count, firstMs, lines } = bundle
    const key = `${service}\u0000${template?.id ?? 0}`
    let row = rows.get(key)
    if (!row) {
      const nothing = { before: 0, count: 0, firstMs: 0, lines: [] }
      row = { service, template: template?.text ?? '', level, healthy: new Float64Array(kept.length), ...nothing }
      rows.set(key, row)
    }
    if (isAtLeast(level, row.level)) row.level = level
    if (i < past.bundles.length) {
      row.before += kept.length === past.windows ? count : kept.reduce((sum, w) => sum + (bundle.windows[w] ?? 0), 0)
      for (const [i, w] of kept.entries()) row.healthy[i] = (row.healthy[i] ?? 0) + (bundle.windows[w] ?? 0)
    } else {
      row.firstMs = row.count === 0 ? firstMs : Math.min(row.firstMs, firstMs)
      row.count += count
      row.lines = [...row.lines, ...lines].slice(0, MAX_SAMPLES)
    }
  }
  const all = [...rows.values()]
  const kinds = new Map<string, number>()
  for (const { service, healthy: windows } of all) {
    const steady = windows.length > 0 && windows.filter((one) => one > 0).length > 0.5 * windows.length
    if (steady) kinds.set(service, (kinds.get(service) ?? 0) + 1)
  }
  for (const { service, count } of all) if (count > 0) kinds.delete(service)
  return {
    rows: all,
    silent: new Set([...kinds].flatMap(([service, count]) => (count >= MANY_KINDS ? [service] : []))),
    healthyMs: kept.length === past.windows ? past.spanMs : kept.length * past.windowMs,
    incidentMs: Math.max(1, spanOf(lines)),
    windows: kept.length,
    windowMs: past.windowMs,
  }
}

interface HealthyTime {
  readonly bundles: readonly Bundle[]
  readonly spanMs: number
  readonly windows: number
  readonly windowMs: number
  /** When each window begins and ends. */
  readonly starts: readonly number[]
  readonly ends: readonly number[]
}

/**
 * A healthy time may reach into the case: what it covers is healthy by its word, and no part of the incident. One that covers
 * almost all of the case cannot be healthy there: then it is the windows that do not count.
 */
function partTimes({ starts, ends, windows }: HealthyTime, ordered: readonly LogLine[]) {
  const covered = (at: number): boolean => starts.some((from, i) => at >= from && at <= (ends[i] ?? 0))
  const all = Array.from({ length: windows }, (_, w) => w)
  const [first, last] = [ordered[0]?.at ?? 0, ordered.at(-1)?.at ?? 0]
  if (!starts.some((from, i) => from <= last && (ends[i] ?? 0) >= first)) return { kept: all, lines: ordered }
  const lines = ordered.filter(({ at }) => !covered(at))
  if (lines.length >= LEAST_LEFT * ordered.length) return { kept: all, lines }
  return { kept: all.filter((w) => (starts[w] ?? 0) > last || (ends[w] ?? 0) < first), lines: ordered }
}

const LEAST_LEFT = 0.15

const known = new WeakMap<readonly LogLine[], HealthyTime>()

function healthyTime(healthy: readonly LogLine[]): HealthyTime {
  const before = known.get(healthy)
  if (before) return before
  const ordered = inOrder(healthy)
  const { windowOf, ...cut } = cutWindows(ordered)
  const worked = { bundles: bundlesOf(ordered, windowOf, cut.windows), spanMs: spanOf(ordered), ...cut }
  known.set(healthy, worked)
  return worked
}

/** Recordings cut into windows of equal length, none across a pause. */
function cutWindows(ordered: readonly LogLine[]) {
  const starts: number[] = []
  const ends: number[] = []
  const cut = (fromMs: number, toMs: number): void => {
    const parts = Math.max(1, Math.round((toMs - fromMs) / WINDOW_MS))
    if (toMs - fromMs < LEAST_WINDOW_MS) return
    for (let part = 0; part < parts; part++) {
      starts.push(fromMs + ((toMs - fromMs) * part) / parts)
      ends.push(fromMs + ((toMs - fromMs) * (part + 1)) / parts)
    }
  }
  let fromMs = ordered[0]?.at ?? 0
  let lastMs = fromMs
  for (const { at } of ordered) {
    if (at - lastMs > PAUSE_MS) {
      cut(fromMs, lastMs)
      fromMs = at
    }
    lastMs = at
  }
  if (ordered.length > 0) cut(fromMs, lastMs)
  let window = 0
  const windowOf = (at: number): number => {
    while (window < ends.length - 1 && at >= (ends[window] ?? 0)) window++
    return at >= (starts[window] ?? Number.POSITIVE_INFINITY) && at <= (ends[window] ?? 0) ? window : -1
  }
  const lengthMs = starts.reduce((sum, start, i) => sum + (ends[i] ?? start) - start, 0)
  return {
    windowOf,
    starts,
    ends,
    windows: starts.length,
    windowMs: starts.length === 0 ? 0 : lengthMs / starts.length,
  }
}

/** With what follows of a hexadecimal id. */
const NUMBERS = /\d[0-9a-f-]*/g

function bundlesOf(ordered: readonly LogLine[], windowOf: (at: number) => number, windows: number): Bundle[] {
  const bundles = new Map<string, Bundle>()
  const maskedBy = new Map<string, string>()
  for (const line of ordered) {
    // Masking is what takes long: lines that differ in numbers and ids alone are taken to be masked as the first of them is.
    const plain = line.message.replace(NUMBERS, '0')
    let masked = maskedBy.get(plain)
    if (masked === undefined) maskedBy.set(plain, (masked = mask(line.message)))
    const key = `${line.service}\u0000${masked}`
    let one = bundles.get(key)
    if (!one) {
      const { service, level, at } = line
      one = { service, masked, windows: new Float64Array(windows), count: 0, level, firstMs: at, lines: [] }
      bundles.set(key, one)
    }
    one.count++
    const window = windowOf(line.at)
    if (window >= 0) one.windows[window] = (one.windows[window] ?? 0) + 1
    if (isAtLeast(line.level, one.level)) one.level = line.level
    if (one.lines.length < MAX_SAMPLES) one.lines.push(line)
  }
  return [...bundles.values()]
}

/** The time that lines in order cover, without the long gaps between recordings. */
function spanOf(ordered: readonly LogLine[]): number {
  let sum = 0
  for (const [i, { at }] of ordered.entries()) {
    const pauseMs = at - (ordered[i - 1]?.at ?? at)
    if (pauseMs <= PAUSE_MS) sum += pauseMs
  }
  return sum
}

/** By time; lines of one moment by what they say, so that no name of a service decides. */
const inOrder = (lines: readonly LogLine[]): LogLine[] =>
  lines
    .filter((line) => Number.isFinite(line.at))
    .sort((a, b) => a.at - b.at || compare(a.message, b.message) || compare(a.service, b.service))

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
