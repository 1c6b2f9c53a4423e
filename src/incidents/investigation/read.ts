// Looks at the running system for one incident: metrics, logs and changes side by side, each with a deadline. What
// cannot be read is told as blind and never fails the investigation.
import { withDeadline } from '../../core/deadline.ts'
import { AppError, describeError } from '../../core/errors.ts'
import { mapParallel } from '../../core/parallel.ts'
import type {
  Change,
  Edge,
  LogLevel,
  LogLine,
  LogSource,
  MetricQuery,
  MetricSource,
  Series,
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

  const attempt = async <T>(source: string, empty: T, read: (inner: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await withDeadline(clock, SOURCE_DEADLINE_MS, signal, read)
    } catch (error) {
      signal.throwIfAborted()
      context.log.warn({ err: error, source }, 'a source could not be read')
      blind.push({ source, reason: publicReason(error) })
      return empty
    }
  }
  const tell = (source: string, reason: string): void => void blind.push({ source, reason })

  const [metrics, logs, changes] = await Promise.all([
    Promise.all(
      sources.metrics.map(async (source) => {
        const nothing: MetricReading = { queries: [], series: [] }
        const read = await attempt(source.name, nothing, (inner) => readMetrics(source, window, inner, tell))
        return { source, ...read }
      }),
    ),
    Promise.all(
      sources.logs.map((source) => attempt(source.name, [], (inner) => readLogs(source, window, inner, tell))),
    ),
    attempt('changes', [], () => context.changes({ tenant, fromMs: window.fromMs, toMs: window.toMs })),
  ])
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

interface MetricReading {
  readonly queries: readonly MetricQuery[]
  readonly series: readonly Series[]
}

async function readMetrics(
  source: MetricSource,
  window: Window,
  signal: AbortSignal,
  tell: (source: string, reason: string) => void,
): Promise<MetricReading> {
  const range = { fromMs: window.fromMs, toMs: window.toMs, stepMs: window.stepMs }
  const metrics = await source.catalogue(range, signal)
  const catalogue = await mapParallel(metrics, QUERIES_AT_ONCE, async (metric) => ({
    ...metric,
    labels: await source.labelNames(metric.name, range, signal),
  }))
  const queries = planQueries(catalogue)
  const series = await askAll(source, queries, range, signal, (failed, reason) =>
    tell(source.name, `${failed} of ${queries.length} queries failed: ${reason}`),
  )
  return { queries, series }
}

/** Every series of these queries. Single queries may fail: they are counted, and all failing is a failure. */
export async function askAll(
  source: MetricSource,
  queries: readonly MetricQuery[],
  range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
  signal: AbortSignal,
  onFailed: (failed: number, reason: string) => void = () => undefined,
): Promise<readonly Series[]> {
  const failures: unknown[] = []
  const found = await mapParallel(queries, QUERIES_AT_ONCE, async (query) => {
    try {
      return await source.query(query, range, signal)
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error)
      return []
    }
  })
  if (failures.length > 0 && failures.length === queries.length) throw failures[0]
  if (failures.length > 0) onFailed(failures.length, publicReason(failures[0]))
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
