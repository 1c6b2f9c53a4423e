// What the logs say about an incident: templates that are new, surged or fell silent since the onset, what they speak of, and
// whom they mention. A line is a witness, not a judge: its words weigh a little, its appearance at the right time more.
import type { FaultKind } from '../core/fault-kinds.ts'
import type { LogLevel, LogLine } from '../core/telemetry.ts'
import { mask, TemplateMiner } from './log-templates.ts'

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
const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']
/** Templates kept for one service, the strongest first. */
const KEEP = 12

/** Lines of one service that are equal once their variables are masked. */
interface Bundle {
  readonly service: string
  readonly masked: string
  count: number
  level: LogLevel
  readonly firstMs: number
  readonly lines: LogLine[]
}

interface Count {
  readonly service: string
  readonly id: number
  before: number
  after: number
  level: LogLevel
  firstMs: number
  lines: readonly LogLine[]
}

export interface LogComparison {
  readonly logs: readonly LogLine[]
  readonly onsetMs: number
  /** Lines of a healthy time; they count as before. */
  readonly reference: readonly LogLine[]
  /** Services and peers that may be mentioned. */
  readonly names: readonly string[]
  readonly callersOf: (service: string) => readonly string[]
}

/**
 * Compares the logs before and after the onset. Counts are compared as rates, so the two stretches may differ in length, and
 * against how much the service and its callers write at all, so that one with less to do is not one that fell silent.
 */
export function compareLogs({ logs, onsetMs, reference, names, callersOf }: LogComparison): LogFinding[] {
  const healthy = healthyBundles(reference)
  const earlier = logs.filter(({ at }) => at < onsetMs)
  const later = logs.filter(({ at }) => at >= onsetMs)
  const beforeMs = healthy.spanMs + spanOf(earlier)
  const afterMs = Math.max(1, spanOf(later))
  const counts = new Map<string, Count>()
  const totals = new Map<string, { before: number; after: number }>()
  const miner = new TemplateMiner()
  const add = (bundle: Bundle, side: 'before' | 'after'): void => {
    const { service, level } = bundle
    const id = miner.add(bundle.masked)
    const key = `${service}\u0000${id}`
    const count = counts.get(key) ?? { service, id, before: 0, after: 0, level, firstMs: bundle.firstMs, lines: [] }
    if (LEVELS.indexOf(level) > LEVELS.indexOf(count.level)) count.level = level
    if (side === 'after') {
      count.firstMs = count.after === 0 ? bundle.firstMs : Math.min(count.firstMs, bundle.firstMs)
      count.lines = [...count.lines, ...bundle.lines].slice(0, MAX_SAMPLES)
    }
    count[side] += bundle.count
    counts.set(key, count)
    const total = totals.get(service) ?? { before: 0, after: 0 }
    total[side] += bundle.count
    totals.set(service, total)
  }
  for (const one of [...healthy.bundles, ...bundleLines(earlier)]) add(one, 'before')
  for (const one of bundleLines(later)) add(one, 'after')

  const longer = beforeMs > 0 ? afterMs / beforeMs : 0
  const ownActivity = (service: string): number => {
    const total = totals.get(service)
    return total && total.before * longer > 0 ? total.after / (total.before * longer) : 1
  }
  const found = [...counts.values()].flatMap((count) => {
    const heard = callersOf(count.service)
      .filter((caller) => totals.has(caller))
      .map(ownActivity)
    const expectation = {
      expected: count.before * longer,
      activity: ownActivity(count.service),
      demand: heard.length === 0 ? ownActivity(count.service) : Math.max(...heard),
      knowsBefore: beforeMs > 0,
    }
    const finding = judge(count, miner.findTemplate(count.id)?.text ?? '', expectation, names)
    return finding ? [finding] : []
  })
  return keepStrongest(found)
}

const MAX_SAMPLES = 3

const known = new WeakMap<readonly LogLine[], { bundles: readonly Bundle[]; spanMs: number }>()

/** The same lines are often compared with more than once: what was worked out of them is kept as long as they are. */
function healthyBundles(reference: readonly LogLine[]) {
  const before = known.get(reference)
  if (before) return before
  const worked = { bundles: bundleLines(reference), spanMs: spanOf(reference) }
  known.set(reference, worked)
  return worked
}

function bundleLines(lines: readonly LogLine[]): Bundle[] {
  const bundles = new Map<string, Bundle>()
  for (const line of inOrder(lines)) {
    const masked = mask(line.message)
    const key = `${line.service}\u0000${masked}`
    const one = bundles.get(key)
    if (!one) {
      bundles.set(key, {
        service: line.service,
        masked,
        count: 1,
        level: line.level,
        firstMs: line.at,
        lines: [line],
      })
      continue
    }
    one.count++
    if (LEVELS.indexOf(line.level) > LEVELS.indexOf(one.level)) one.level = line.level
    if (one.lines.length < MAX_SAMPLES) one.lines.push(line)
  }
  return [...bundles.values()]
}

/** The time that lines cover, without the long gaps between recordings. */
function spanOf(lines: readonly LogLine[]): number {
  const times = Float64Array.from(lines, ({ at }) => at).sort()
  let sum = 0
  for (let i = 1; i < times.length; i++) sum += Math.min(LONGEST_PAUSE_MS, (times[i] ?? 0) - (times[i - 1] ?? 0))
  return sum
}

const LONGEST_PAUSE_MS = 60_000

interface Expectation {
  /** Lines that the stretch after the onset would hold at the rate of before. */
  readonly expected: number
  /** How much the service writes now against before. */
  readonly activity: number
  /** How much its callers do: what it should have to do. */
  readonly demand: number
  readonly knowsBefore: boolean
}

function judge(
  count: Count,
  text: string,
  { expected, activity, demand, knowsBefore }: Expectation,
  names: readonly string[],
): LogFinding | undefined {
  const { before, after } = count
  const most = expected * Math.max(1, activity)
  const least = expected * Math.min(1, Math.max(activity, demand))
  const change =
    before === 0 && after > 0
      ? 'new'
      : after >= 3 && after > 3 * most + 2
        ? 'surged'
        : (after === 0 && least >= 6) || (least >= 15 && after < 0.4 * least)
          ? 'vanished'
          : undefined
  if (!change || (change === 'new' && !knowsBefore)) return undefined
  // An error that is no longer told is no trouble.
  if (change === 'vanished' && LEVELS.indexOf(count.level) >= LEVELS.indexOf('warn')) return undefined
  const all = `${text} ${count.lines.map((line) => line.message).join(' ')}`
  const strength =
    change === 'new'
      ? WEIGHT[count.level] * Math.min(1, 0.4 + after / 10)
      : change === 'surged'
        ? WEIGHT[count.level] * Math.min(0.85, Math.log2(after / (most + 0.5)) / 4)
        : (least >= 20 ? 0.75 : 0.5) * (1 - after / (0.4 * least))
  return {
    service: count.service,
    template: text,
    change,
    countBefore: before,
    countAfter: after,
    level: count.level,
    strength,
    kinds: change === 'vanished' ? [] : WORDS.filter(([, words]) => words.test(all)).map(([kind]) => kind),
    mentions: names.filter((name) => name !== count.service && mentions(all, name)),
    firstMs: count.firstMs,
    lines: count.lines,
  }
}

function mentions(text: string, name: string): boolean {
  if (name === '') return false
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
