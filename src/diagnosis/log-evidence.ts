// What the logs say about an incident: templates that are new, surged or fell silent since the onset, what they speak of, and
// whom they mention. A line is a witness, not a judge: its words weigh a little, its appearance at the right time more.
import type { FaultKind } from '../core/fault-kinds.ts'
import type { LogLevel, LogLine } from '../core/telemetry.ts'
import { TemplateMiner } from './log-templates.ts'

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
  ['pool_exhausted', /pool\b.*(exhaust|time[d ]?\s?out|full|no free)|waiting for (a |free )*connection|too many connections/i],
  ['down', /econnrefused|connection refused|ehostunreach|enotfound|no healthy upstream|connect: no route/i],
  ['memory_leak', /out of memory|\boom\b|heap limit|outofmemory|cannot allocate memory/i],
  ['provider_failure', /overloaded|(model|llm|provider)\b.*\b(unavailable|failed|failing|error|rate.?limited|429|5\d\d)/i],
  ['slow_database', /slow (query|queries)|lock wait|statement timeout|query\b.*\b(timed out|timeout|took)/i],
  ['queue_backlog', /(queue|backlog)\b.*\b(full|growing|behind|backlog|over)|consumer lag/i],
  ['bad_config', /(config|configuration|setting|flag|environment variable)\b.*\b(invalid|missing|unknown|wrong|bad|not set|rejected)|invalid (config|setting)/i],
  ['bad_deploy', /typeerror|referenceerror|nullpointer|cannot read propert|is not a function|assertion|exception/i],
  ['slow_dependency', /upstream\b.*\b(time[d ]?\s?out|slow)|etimedout|deadline exceeded|request timed out/i],
  ['traffic_surge', /load shed|shedding|too many requests|over capacity/i],
]

const WEIGHT: Readonly<Record<LogLevel, number>> = { debug: 0.1, info: 0.2, warn: 0.6, error: 1, fatal: 1 }
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']
/** Templates kept for one service, the strongest first. */
const KEEP = 12

interface Count {
  service: string
  id: number
  before: number
  after: number
  level: LogLevel
  firstMs: number
  lines: LogLine[]
}

/**
 * Compares the logs before and after the onset. Counts are compared as rates, so the two stretches may differ in length, and
 * against how much the service writes at all, so that a service with less to do is not one that fell silent.
 * `reference` are lines of a healthy time and count as before. `names` are the services and peers that may be mentioned.
 */
export function compareLogs(
  logs: readonly LogLine[],
  onsetMs: number,
  names: readonly string[],
  reference: readonly LogLine[] = [],
): LogFinding[] {
  const miner = new TemplateMiner()
  const counts = new Map<string, Count>()
  const totals = new Map<string, { before: number; after: number }>()
  const read = (line: LogLine, before: boolean): void => {
    const id = miner.add(line.message)
    const key = `${line.service}\u0000${id}`
    const count = counts.get(key) ?? {
      service: line.service,
      id,
      before: 0,
      after: 0,
      level: line.level,
      firstMs: 0,
      lines: [],
    }
    const total = totals.get(line.service) ?? { before: 0, after: 0 }
    if (LEVELS.indexOf(line.level) > LEVELS.indexOf(count.level)) count.level = line.level
    if (before) {
      count.before++
      total.before++
    } else {
      if (count.after === 0) count.firstMs = line.at
      count.after++
      total.after++
      if (count.lines.length < 3) count.lines.push(line)
    }
    counts.set(key, count)
    totals.set(line.service, total)
  }
  for (const line of inOrder(reference)) read(line, true)
  const ordered = inOrder(logs)
  for (const line of ordered) read(line, line.at < onsetMs)
  const beforeMs = spanOf(reference) + spanOf(ordered.filter(({ at }) => at < onsetMs))
  const afterMs = Math.max(1, spanOf(ordered.filter(({ at }) => at >= onsetMs)))
  const found = [...counts.values()].flatMap((count) => {
    const text = miner.findTemplate(count.id)?.text ?? ''
    const total = totals.get(count.service) ?? { before: 0, after: 0 }
    const usual = beforeMs > 0 ? (total.before * afterMs) / beforeMs : 0
    const activity = usual > 0 ? total.after / usual : 1
    const expected = beforeMs > 0 ? (count.before * afterMs) / beforeMs : 0
    const finding = judge(count, text, { expected, activity, knowsBefore: beforeMs > 0 }, names)
    return finding ? [finding] : []
  })
  return keepStrongest(found)
}

/** The time that lines cover, without the long gaps between recordings. */
function spanOf(lines: readonly LogLine[]): number {
  const times = Float64Array.from(lines, ({ at }) => at).sort()
  let sum = 0
  for (let i = 1; i < times.length; i++) sum += Math.min(60_000, (times[i] ?? 0) - (times[i - 1] ?? 0))
  return sum
}

interface Expectation {
  /** Lines that the stretch after the onset would hold at the rate of before. */
  readonly expected: number
  /** How much the service writes now against before. */
  readonly activity: number
  readonly knowsBefore: boolean
}

function judge(
  count: Count,
  text: string,
  { expected, activity, knowsBefore }: Expectation,
  names: readonly string[],
): LogFinding | undefined {
  const { before, after } = count
  const most = expected * Math.max(1, activity)
  const least = expected * Math.min(1, activity)
  const change =
    before === 0 && after > 0
      ? 'new'
      : after >= 3 && after > 3 * most + 2
        ? 'surged'
        : after === 0 && least >= 6
          ? 'vanished'
          : undefined
  if (!change || (change === 'new' && !knowsBefore)) return undefined
  const all = `${text} ${count.lines.map((line) => line.message).join(' ')}`
  const trouble = change === 'vanished' ? 0.45 : WEIGHT[count.level]
  const often =
    change === 'new' ? Math.min(1, 0.4 + after / 10) : change === 'surged' ? Math.min(1, after / (most + 1) / 8) : 1
  return {
    service: count.service,
    template: text,
    change,
    countBefore: before,
    countAfter: after,
    level: count.level,
    strength: trouble * often,
    kinds: change === 'vanished' ? [] : WORDS.filter(([, words]) => words.test(all)).map(([kind]) => kind),
    mentions: names.filter((name) => name !== count.service && mentions(all, name)),
    firstMs: count.firstMs,
    lines: count.lines,
  }
}

function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const around = `${text[at - 1] ?? ' '}${text[at + name.length] ?? ' '}`
    if (!/[A-Za-z0-9_-]/.test(around)) return true
  }
  return false
}

const inOrder = (lines: readonly LogLine[]): LogLine[] =>
  lines
    .filter((line) => Number.isFinite(line.at))
    .sort((a, b) => a.at - b.at || compare(a.service, b.service) || compare(a.message, b.message))

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
