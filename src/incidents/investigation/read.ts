// Looks at the running system for one incident: metrics, logs and changes side by side, each with a deadline. What
// cannot be read is told as blind and never fails the investigation; of what is read in part, that part counts.
import type { Clock } from '../../core/clock.ts'
import { withDeadline } from '../../core/deadline.ts'
import { AppError, describeError } from '../../core/errors.ts'
import { mapParallel } from '../../core/parallel.ts'
import type {
  Change,
  Edge,
  LogLevel,
  LogLine,
  LogSource,
  MetricInfo,
  MetricQuery,
  MetricSource,
  Series,
  TimeRange,
} from '../../core/telemetry.ts'
import { planQueries } from '../../diagnosis/signals.ts'
import type { InvestigationContext } from './context.ts'
import type { Window } from './state.ts'

export interface Readings {
  readonly series: readonly Series[]
  /** What was asked of whom: enough to ask for any part of it again. */
  readonly asked: readonly { readonly source: MetricSource; readonly queries: readonly MetricQuery[] }[]
  readonly logs: readonly LogLine[]
  readonly changes: readonly Change[]
  readonly topology: readonly Edge[]
  readonly blind: readonly { readonly source: string; readonly reason: string }[]
  readonly tookMs: number
}

const SOURCE_DEADLINE_MS = 30_000
/** Of that, looking up the labels of the metrics gets half: they are of no use without numbers. */
const LABELS_DEADLINE_MS = 15_000
const QUERIES_AT_ONCE = 8
/** Logs are looked at from this long before the first alert. */
const LOG_BASELINE_MS = 20 * 60_000
const MAX_LOG_LINES = 10_000

type ReadContext = Pick<InvestigationContext, 'sources' | 'changes' | 'topology' | 'clock' | 'log'>

export async function readAll(
  context: ReadContext,
  tenant: string,
  window: Window,
  signal: AbortSignal,
): Promise<Readings> {
  const { clock, sources, topology } = context
  const startedMs = clock.now()
  const blind: { source: string; reason: string }[] = []

  const attempt = async <T>(
    source: string,
    empty: T,
    read: (inner: AbortSignal) => Promise<T>,
    soFar: () => string = () => '',
  ): Promise<T> => {
    try {
      return await withDeadline(clock, SOURCE_DEADLINE_MS, signal, read)
    } catch (error) {
      signal.throwIfAborted()
      context.log.warn({ err: error, source }, 'a source could not be read')
      blind.push({ source, reason: `${soFar()}${publicReason(error)}` })
      return empty
    }
  }
  const tell = (source: string, reason: string): void => void blind.push({ source, reason })

  const [metrics, logs, changes] = await Promise.all([
    Promise.all(
      sources.metrics.map(async (source) => {
        const read: MetricReading = { queries: [], series: [], answered: 0 }
        const partly = () =>
          read.answered === 0 ? '' : `only ${read.answered} of ${read.queries.length} queries were answered: `
        const all = (inner: AbortSignal) => readMetrics(source, window, read, clock, inner, tell)
        await attempt(source.name, undefined, all, partly)
        return { source, queries: read.queries, series: read.series }
      }),
    ),
    Promise.all(
      sources.logs.map((source) => attempt(source.name, [], (inner) => readLogs(source, window, inner, tell))),
    ),
    attempt('changes', [], () => context.changes({ tenant, fromMs: window.fromMs, toMs: window.toMs })),
  ])
  for (const { source, reason } of sources.changes?.problems() ?? []) tell(source, reason)
  const series = metrics.flatMap((read) => read.series)
  topology.learn(series)
  return {
    series,
    asked: metrics.map(({ source, queries }) => ({ source, queries })),
    logs: logs.flat().sort((a, b) => a.at - b.at),
    changes,
    topology: topology.edges(),
    blind,
    tookMs: clock.now() - startedMs,
  }
}

/** Grows while it is read, so that a deadline leaves what is there by then. */
interface MetricReading {
  queries: readonly MetricQuery[]
  /** In the order of the queries once all are answered. */
  series: readonly Series[]
  answered: number
}

async function readMetrics(
  source: MetricSource,
  window: Window,
  read: MetricReading,
  clock: Clock,
  signal: AbortSignal,
  tell: (source: string, reason: string) => void,
): Promise<void> {
  const range = { fromMs: window.fromMs, toMs: window.toMs, stepMs: window.stepMs }
  const metrics = await source.catalogue(range, signal)
  const known = await withLabels(source, metrics, range, clock, signal, (failed, reason) =>
    tell(source.name, `${failed} of ${metrics.length} metrics could not be looked up: ${reason}`),
  )
  read.queries = planQueries(known)
  const soFar: Series[] = []
  read.series = soFar
  read.series = await askAll(source, read.queries, range, signal, {
    onAnswer: (series) => {
      read.answered++
      for (const one of series) soFar.push(one)
    },
    onFailed: (failed, reason) => tell(source.name, `${failed} of ${read.queries.length} queries failed: ${reason}`),
  })
}

type LabelledMetric = MetricInfo & { readonly labels: readonly string[] }

/** Metrics whose labels cannot be had, or not in time to still ask for numbers, are left out; all of them is a failure. */
async function withLabels(
  source: MetricSource,
  metrics: readonly MetricInfo[],
  range: TimeRange,
  clock: Clock,
  signal: AbortSignal,
  onFailed: (failed: number, reason: string) => void,
): Promise<readonly LabelledMetric[]> {
  const known = new Map<MetricInfo, LabelledMetric>()
  let failure: unknown
  const lookUp = async (inner: AbortSignal): Promise<void> => {
    await mapParallel(metrics, QUERIES_AT_ONCE, async (metric) => {
      inner.throwIfAborted()
      try {
        known.set(metric, { ...metric, labels: await source.labelNames(metric.name, range, inner) })
      } catch (error) {
        inner.throwIfAborted()
        failure ??= error
      }
    })
  }
  try {
    await withDeadline(clock, LABELS_DEADLINE_MS, signal, lookUp)
  } catch (error) {
    signal.throwIfAborted()
    failure = error
  }
  if (failure !== undefined && known.size === 0) throw failure
  if (known.size < metrics.length) onFailed(metrics.length - known.size, publicReason(failure))
  return metrics.flatMap((metric) => known.get(metric) ?? [])
}

/** Every series of these queries. Single queries may fail: they are counted, and all failing is a failure. */
export async function askAll(
  source: MetricSource,
  queries: readonly MetricQuery[],
  range: TimeRange,
  signal: AbortSignal,
  on: {
    /** Called with the series of each query as they come: whoever cannot wait for all of them has these. */
    readonly onAnswer?: (series: readonly Series[]) => void
    readonly onFailed?: (failed: number, reason: string) => void
  } = {},
): Promise<readonly Series[]> {
  const failures: unknown[] = []
  const found = await mapParallel(queries, QUERIES_AT_ONCE, async (query) => {
    signal.throwIfAborted()
    try {
      const series = await source.query(query, range, signal)
      // One that does not listen to the signal may answer when nobody waits any more.
      if (!signal.aborted) on.onAnswer?.(series)
      return series
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error)
      return []
    }
  })
  if (failures.length > 0 && failures.length === queries.length) throw failures[0]
  if (failures.length > 0) on.onFailed?.(failures.length, publicReason(failures[0]))
  return found.flat()
}

/**
 * The time before the first alert and the time after it, read apart so that a flood of lines after the onset cannot push
 * out what is normal. Both at the same level, or a quiet baseline would make ordinary lines look new.
 */
async function readLogs(
  source: LogSource,
  window: Window,
  signal: AbortSignal,
  tell: (source: string, reason: string) => void,
): Promise<readonly LogLine[]> {
  const fromMs = Math.max(window.fromMs, window.alertAtMs - LOG_BASELINE_MS)
  const parts = [
    { fromMs, toMs: window.alertAtMs },
    { fromMs: window.alertAtMs + 1, toMs: window.toMs },
  ]
  const readAt = (minLevel: LogLevel) =>
    Promise.all(parts.map((part) => source.read({ ...part, minLevel, limit: MAX_LOG_LINES }, signal)))
  let read = await readAt('info')
  if (read.some(({ truncated }) => truncated)) {
    read = await readAt('warn')
    if (read.some(({ truncated }) => truncated))
      tell(source.name, `more than ${MAX_LOG_LINES} lines at warn or above: only the newest were read`)
  }
  return read.flatMap(({ lines }) => lines)
}

/** What a stranger may read of a failure; the rest is in the log. */
function publicReason(error: unknown): string {
  const reason = error instanceof AppError ? error.message : describeError(error)
  return reason.slice(0, 300)
}
