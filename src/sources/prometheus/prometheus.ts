// A MetricSource over Prometheus' HTTP API, or anything that speaks it. It asks PromQL that it also shows. Whether a
// metric tells its service by the configured label or only by `job` is asked once and remembered for a while.
// Which metrics and labels exist "in a range" is as exact as Prometheus is: it may answer with a little more.
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Secret } from '../../core/secret.ts'
import type { MetricQuery, MetricSource, Series, TimeRange } from '../../core/telemetry.ts'
import { type DeclaredFamily, familiesOf, sampleNamesOf, toMetricType } from '../metric-families.ts'
import { checkQuery, escapeValue, LABEL_NAME, METRIC_NAME, printPromql, type ServiceGrouping } from '../promql.ts'
import { activeTargets, type MatrixSeries, metadata, names, parseDuration, readInstant, readMatrix } from './answers.ts'
import { connectApi } from './api.ts'
import { Memory } from './memory.ts'

export interface PrometheusOptions {
  readonly url: string
  /** The label that names the service; series without it are named by `job`. */
  readonly serviceLabel: string
  readonly clock: Clock
  readonly bearerToken?: Secret | undefined
  readonly timeoutMs?: number
  readonly maxBytes?: number
}

const FALLBACK_LABEL = 'job'
/** Prometheus refuses more points a series. */
const MAX_POINTS = 11_000
const MAX_REQUESTS = 100
const DEFAULT_INTERVAL_MS = 15_000
/** What Prometheus says of its own scraping: no metric of the watched system. */
const ABOUT_SCRAPING = /^scrape_(duration_seconds|samples_|series_added|sample_limit|timeout_seconds|body_size_bytes)/

export function createPrometheusSource(options: PrometheusOptions): MetricSource {
  const api = connectApi({
    url: options.url,
    bearerToken: options.bearerToken,
    timeoutMs: options.timeoutMs ?? 30_000,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
  })
  const label = options.serviceLabel
  if (!LABEL_NAME.test(label)) {
    throw new AppError('malformed', `"${label}" is not a label name.`, {
      field: 'agent.sources.prometheus.serviceLabel',
    })
  }
  const plain: ServiceGrouping = { kind: 'label', label }
  const groupings = new Memory<ServiceGrouping>(options.clock)
  const intervals = new Memory<number>(options.clock)

  const ask = async (path: string, range: TimeRange, match: readonly string[], signal: AbortSignal) => {
    return api(
      path,
      [...bounds(range), ...match.map((each) => ['match[]', each] as const)],
      (data) => names.parse(data),
      signal,
    )
  }

  /** The samples a query is about, as they are stored. */
  const storedName = ({ metric, as }: MetricQuery) =>
    as === 'quantile' ? `${metric}_bucket` : as === 'mean' ? `${metric}_count` : metric

  const groupingOf = async (query: MetricQuery, range: TimeRange, signal: AbortSignal) => {
    if (label === FALLBACK_LABEL) return plain
    const sample = storedName(query)
    const found = await groupings.get(sample, async () => {
      const [named, unnamed] = await Promise.all([
        ask(`label/${label}/values`, range, [sample], signal),
        ask(`label/${FALLBACK_LABEL}/values`, range, [`${sample}{${label}=""}`], signal),
      ])
      // Nothing there yet: that says nothing about what will be.
      if (unnamed.length === 0 && named.length === 0) return undefined
      if (unnamed.length === 0) return plain
      if (named.length === 0) return { kind: 'label', label: FALLBACK_LABEL }
      return { kind: 'either', label, fallback: FALLBACK_LABEL }
    })
    return found ?? plain
  }

  /** The middle of the targets' intervals; undefined while there are no targets. Not every server tells. */
  const intervalMs = (signal: AbortSignal) =>
    intervals.get('', async () => {
      try {
        const data = await api('targets', [['state', 'active']], (each) => activeTargets.parse(each), signal)
        const all = data.activeTargets.flatMap(({ scrapeInterval }) => parseDuration(scrapeInterval ?? '') ?? [])
        return all.sort((a, b) => a - b)[Math.floor(all.length / 2)]
      } catch {
        signal.throwIfAborted()
        return DEFAULT_INTERVAL_MS
      }
    })

  const windowMs = (interval: number, stepMs: number) => Math.max(4 * interval, stepMs)

  return {
    name: 'prometheus',
    async catalogue(range, signal) {
      const [found, declared] = await Promise.all([
        ask('label/__name__/values', range, [], signal),
        api('metadata', [], (data) => metadata.parse(data), signal),
      ])
      const families = new Map<string, DeclaredFamily>()
      for (const [name, entries] of Object.entries(declared)) {
        const first = entries[0]
        if (first) families.set(name, { type: toMetricType(first.type), help: first.help })
      }
      return familiesOf(new Set(found.filter((name) => METRIC_NAME.test(name) && !ABOUT_SCRAPING.test(name))), families)
    },
    async labelNames(metric, range, signal) {
      checkQuery({ metric, as: 'value' })
      const found = await ask(
        'labels',
        range,
        [`{__name__=~"${sampleNamesOf(metric).map(escapeValue).join('|')}"}`],
        signal,
      )
      return found.filter((name) => LABEL_NAME.test(name) && name !== '__name__' && name !== 'le')
    },
    async query(query, range, signal) {
      checkQuery(query)
      const [grouping, interval] = await Promise.all([groupingOf(query, range, signal), intervalMs(signal)])
      const promql = printPromql(query, windowMs(interval ?? DEFAULT_INTERVAL_MS, range.stepMs), grouping)
      const found = new Map<string, Series>()
      for (const part of partsOf(range)) {
        const step = ['step', String(part.stepMs / 1000)] as const
        const matrix = await api('query_range', [['query', promql], ...bounds(part), step], readMatrix, signal)
        for (const each of matrix) {
          const series = toSeries(each, query, grouping, promql)
          const key = JSON.stringify([series.service, series.labels])
          const before = found.get(key)
          found.set(key, before ? { ...series, points: [...before.points, ...series.points] } : series)
        }
      }
      const keyed = [...found].filter(([, series]) => series.points.length > 0)
      return keyed.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, series]) => series)
    },
    async evaluate(promql, atMs, signal) {
      const at = ['time', String(atMs / 1000)] as const
      const values = await api('query', [['query', promql], at], readInstant, signal)
      if (values.length <= 1) return values.find((value) => !Number.isNaN(value))
      throw new AppError('malformed', `The query has ${values.length} series; aggregate it to one number.`)
    },
    promql: (query) =>
      printPromql(
        query,
        windowMs(intervals.peek('') ?? DEFAULT_INTERVAL_MS, 0),
        groupings.peek(storedName(query)) ?? plain,
      ),
  }
}

const bounds = (range: TimeRange): [string, string][] => [
  ['start', String(range.fromMs / 1000)],
  ['end', String(range.toMs / 1000)],
]

/** Ranges of at most MAX_POINTS steps that together have the same steps. */
function partsOf(range: TimeRange): TimeRange[] {
  if (!(range.stepMs > 0)) throw new AppError('malformed', 'The step must be more than zero.', { field: 'stepMs' })
  const spanMs = (MAX_POINTS - 1) * range.stepMs
  const parts: TimeRange[] = []
  for (let fromMs = range.fromMs; fromMs <= range.toMs; fromMs += spanMs + range.stepMs) {
    parts.push({ fromMs, toMs: Math.min(fromMs + spanMs, range.toMs), stepMs: range.stepMs })
    if (parts.length > MAX_REQUESTS) {
      throw new AppError('malformed', 'The range has too many steps. Take longer steps.', { field: 'stepMs' })
    }
  }
  return parts
}

function toSeries(from: MatrixSeries, query: MetricQuery, grouping: ServiceGrouping, promql: string): Series {
  const labels = Object.entries(from.labels).filter(([name]) => name !== grouping.label && name !== '__name__')
  return {
    service: from.labels[grouping.label] ?? '',
    metric: query.metric,
    as: query.as,
    labels: Object.fromEntries(labels.sort(([a], [b]) => (a < b ? -1 : 1))),
    query: promql,
    points: from.points,
  }
}
