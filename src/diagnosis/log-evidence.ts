// What the logs say about an incident: templates that are new, surged or fell silent since the onset, what they speak of, and
// whom they mention. A line is a witness, not a judge: its words weigh a little, its appearance at the right time more.
import type { FaultKind } from '../core/fault-kinds.ts'
import { isAtLeast } from '../core/log-level.ts'
import type { LogLevel, LogLine } from '../core/telemetry.ts'
import type { LogRow, LogTable } from './log-table.ts'
import { mentions } from './mentions.ts'
import { clamp } from './stats.ts'

export interface LogFinding {
  readonly service: string
  readonly template: string
  readonly change: 'new' | 'surged' | 'vanished'
  readonly countBefore: number
  readonly countAfter: number
  readonly level: LogLevel
  /** 0 to 1. */
  readonly strength: number
  /** The kinds its words speak for. */
  readonly kinds: readonly FaultKind[]
  /** Other services and peers that its lines name. */
  readonly mentions: readonly string[]
  readonly firstMs: number
  readonly lines: readonly LogLine[]
}

const WORDS: readonly (readonly [FaultKind, RegExp])[] = [
  ['disk_full', /\benospc\b|no space left|disk (is )?full|disk quota/i],
  [
    'credential_expired',
    /(certificate|credential|token|secret|password|api key)\b.*\b(expired|has run out|no longer valid|revoked)|expired (certificate|credential|token|key)|\b401\b|unauthori[sz]ed|unauthenticated/i,
  ],
  [
    'pool_exhausted',
    /pool\b.*(exhaust|time[d ]?\s?out|full|no free)|waiting for (a |free )*connection|too many connections/i,
  ],
  ['down', /econnrefused|connection refused|ehostunreach|enotfound|no healthy upstream|connect: no route/i],
  ['memory_leak', /out of memory|\boom\b|heap limit|outofmemory|cannot allocate memory/i],
  [
    'provider_failure',
    /overloaded|(model|llm|provider)\b.*\b(unavailable|failed|failing|error|rate.?limited|429|5\d\d)/i,
  ],
  ['slow_database', /slow (query|queries)|lock wait|statement timeout|query\b.*\b(timed out|timeout|took)/i],
  ['queue_backlog', /(queue|backlog)\b.*\b(full|growing|behind|backlog|over)|consumer lag/i],
  [
    'bad_config',
    /(config|configuration|setting|flag|environment variable)\b.*\b(invalid|missing|unknown|wrong|bad|not set|rejected)|invalid (config|setting)/i,
  ],
  ['bad_deploy', /typeerror|referenceerror|nullpointer|cannot read propert|is not a function|assertion|exception/i],
  ['slow_dependency', /upstream\b.*\b(time[d ]?\s?out|slow)|etimedout|deadline exceeded|request timed out/i],
  ['traffic_surge', /load shed|shedding|too many requests|over capacity/i],
]

const WEIGHT: Readonly<Record<LogLevel, number>> = { debug: 0.1, info: 0.2, warn: 0.6, error: 1, fatal: 1 }
/** Templates kept for one service, the strongest first. */
const KEEP = 12

/**
 * What changed between the healthy time and the incident. Counts are compared as rates, so the two stretches may differ in
 * length; against how much the service and its callers write at all, so that one with less to do is not one that fell silent;
 * and against the most that a healthy time of the same length has held, so that what comes in bursts is not news.
 */
export function compareLogs(
  table: LogTable,
  names: readonly string[],
  callersOf: (service: string) => readonly string[],
): LogFinding[] {
  const totals = new Map<string, { before: number; after: number }>()
  for (const { service, before, count } of table.rows) {
    const total = totals.get(service) ?? { before: 0, after: 0 }
    totals.set(service, { before: total.before + before, after: total.after + count })
  }
  const longer = table.healthyMs > 0 ? table.incidentMs / table.healthyMs : 0
  const ownActivity = (service: string): number => {
    const total = totals.get(service)
    return total && total.before * longer > 0 ? total.after / (total.before * longer) : 1
  }
  const found = table.rows.flatMap((row) => {
    if (table.silent.has(row.service)) return []
    const heard = callersOf(row.service)
      .filter((caller) => totals.has(caller))
      .map(ownActivity)
    const finding = judge(row, names, {
      expected: row.before * longer,
      mostOf: () => mostOf(row, table),
      steady: steadinessOf(row, table),
      activity: ownActivity(row.service),
      demand: heard.length === 0 ? ownActivity(row.service) : Math.max(...heard),
      knowsBefore: table.healthyMs > 0,
    })
    return finding ? [finding] : []
  })
  return keepStrongest(found)
}

/** The most lines that as much of the healthy time as the incident is long has held: its fullest windows together. */
function mostOf({ healthy }: LogRow, { windows, windowMs, incidentMs }: LogTable): number {
  if (windows < FEW_WINDOWS) return 0
  const sorted = healthy.slice().sort().reverse()
  let left = incidentMs / windowMs
  let sum = 0
  for (let i = 0; i < sorted.length && left > 0; i++, left--) sum += (sorted[i] ?? 0) * Math.min(1, left)
  return sum
}

/** The share of healthy windows that hold the line; 1 where there are too few to say. */
const steadinessOf = ({ healthy }: LogRow, { windows }: LogTable): number =>
  windows < FEW_WINDOWS ? 1 : healthy.filter((count) => count > 0).length / windows

const FEW_WINDOWS = 6

interface Expectation {
  /** Lines that the incident would hold at the rate of before. */
  readonly expected: number
  /** Lines that as long a healthy time has held at most; worked out where it is asked for. */
  readonly mostOf: () => number
  readonly steady: number
  /** How much the service writes now against before. */
  readonly activity: number
  /** How much its callers do: what it should have to do. */
  readonly demand: number
  readonly knowsBefore: boolean
}

function judge(row: LogRow, names: readonly string[], usual: Expectation): LogFinding | undefined {
  const { before, count: after, level } = row
  const { expected, activity, demand } = usual
  const rate = expected * Math.max(1, activity)
  const least = expected * Math.min(1, Math.max(activity, demand))
  // Who dies says so once; the first time may lie before anybody noticed.
  const isDeath = level === 'fatal' && after > 0 && expected < 0.5
  const change =
    before === 0 && after > 0
      ? 'new'
      : (after >= 3 && after > 3 * rate + 2) || isDeath
        ? 'surged'
        : (after === 0 && least >= 6) || (least >= 15 && after < 0.4 * least)
          ? 'vanished'
          : undefined
  if (!change || (change === 'new' && !usual.knowsBefore)) return undefined
  // An error that is no longer told is no trouble.
  if (change === 'vanished' && isAtLeast(level, 'warn')) return undefined
  const all = `${row.template} ${row.lines.map((line) => line.message).join(' ')}`
  const strength =
    change === 'new'
      ? WEIGHT[level] * Math.min(1, 0.4 + after / 10)
      : change === 'surged'
        ? WEIGHT[level] *
          (isDeath
            ? Math.min(1, 0.4 + after / 10)
            : clamp(Math.log2((after + 0.5) / (Math.max(rate, usual.mostOf()) + 0.5)) / 3, 0, 0.85))
        : usual.steady * (least >= 20 ? 0.75 : 0.5) * (1 - after / (0.4 * least))
  if (strength < 0.02) return undefined
  return {
    service: row.service,
    template: row.template,
    change,
    countBefore: before,
    countAfter: after,
    level,
    strength,
    kinds: change === 'vanished' ? [] : WORDS.filter(([, words]) => words.test(all)).map(([kind]) => kind),
    mentions: names.filter((name) => name !== row.service && mentions(all, name)),
    firstMs: row.firstMs,
    lines: row.lines,
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function keepStrongest(found: readonly LogFinding[]): LogFinding[] {
  const kept = new Map<string, number>()
  return [...found]
    .sort((a, b) => b.strength - a.strength || compare(a.service, b.service) || compare(a.template, b.template))
    .filter((one) => {
      const count = kept.get(one.service) ?? 0
      kept.set(one.service, count + 1)
      return count < KEEP
    })
}
