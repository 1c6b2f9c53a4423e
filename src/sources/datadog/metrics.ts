// A MetricSource over Datadog's timeseries query. Datadog has no list of what matters, so the config names the metrics. Names are
// made PromQL's by underscores; the query that a report shows is Datadog's own.
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import type { Labels, MetricQuery, MetricSource, Point, Series, TimeRange } from '../../core/telemetry.ts'
import { LABEL_NAME } from '../promql.ts'
import type { Datadog } from './api.ts'

export interface DatadogMetric {
  /** `trace.http.request.errors`. */
  readonly name: string
  readonly type: 'gauge' | 'counter'
  /** How a gauge's values are made one: of hosts, say. */
  readonly aggregate: 'avg' | 'sum' | 'max' | 'min'
  /** Tags that tell its series apart, beside the service. */
  readonly by: readonly string[]
}

export interface DatadogMetricsOptions {
  readonly metrics: readonly DatadogMetric[]
  readonly serviceTag: string
  readonly filter: string
}

const PATH = '/api/v1/query'

const answer = z.object({
  status: z.string(),
  error: z.string().nullish(),
  series: z
    .array(
      z.object({
        scope: z.string().nullish(),
        tag_set: z.array(z.string()).nullish(),
        pointlist: z.array(z.tuple([z.number(), z.number().nullable()]).rest(z.unknown())),
      }),
    )
    .nullish(),
})

const plain = (name: string): string => name.replaceAll(/[^A-Za-z0-9_]/g, '_')

export function createDatadogMetrics(datadog: Datadog, options: DatadogMetricsOptions): MetricSource {
  const { metrics, serviceTag } = options
  const known = new Map(metrics.map((one) => [plain(one.name), one]))
  const tagOf = (metric: DatadogMetric, label: string): string | undefined =>
    label === 'service' ? serviceTag : metric.by.find((tag) => plain(tag) === label)

  const print = (query: MetricQuery, metric: DatadogMetric, rollupS: number): string => {
    const scope = [
      ...(options.filter.trim() === '' ? [] : [options.filter.trim()]),
      ...Object.entries(query.where ?? {}).map(
        ([label, value]) => `${tagOf(metric, label) ?? label}:${tagValue(value)}`,
      ),
    ]
    const by = [...new Set([serviceTag, ...(query.by ?? []).flatMap((label) => tagOf(metric, label) ?? [])])]
    const inside = `${metric.name}{${scope.join(' AND ') || '*'}} by {${by.join(',')}}`
    // A counter's points are what was counted in each interval.
    return metric.type === 'counter'
      ? `sum:${inside}.as_rate().rollup(sum, ${rollupS})`
      : `${metric.aggregate}:${inside}.rollup(${metric.aggregate === 'sum' ? 'avg' : metric.aggregate}, ${rollupS})`
  }

  const check = (query: MetricQuery): DatadogMetric | undefined => {
    for (const label of [...Object.keys(query.where ?? {}), ...(query.by ?? [])])
      if (!LABEL_NAME.test(label)) throw new AppError('malformed', `"${label}" is not a label name.`, { field: 'by' })
    const metric = known.get(query.metric)
    if (metric && (metric.type === 'counter') !== (query.as === 'rate'))
      throw new AppError('malformed', `${query.metric} cannot be asked for as ${query.as}.`, { field: 'as' })
    return metric
  }

  return {
    name: 'datadog',
    catalogue: (_range, signal) => {
      signal.throwIfAborted()
      return Promise.resolve(metrics.map(({ name, type }) => ({ name: plain(name), type, help: name })))
    },
    labelNames: (metric) => Promise.resolve([...(known.get(metric)?.by ?? []).map(plain), 'service'].sort()),
    async query(query, range, signal) {
      signal.throwIfAborted()
      const metric = check(query)
      if (!metric) return []
      const text = print(query, metric, rollupOf(range))
      const parameters = [
        ['from', String(Math.floor(range.fromMs / 1000))],
        ['to', String(Math.ceil(range.toMs / 1000))],
        ['query', text],
      ] as const
      const read = await datadog.ask({ path: PATH, parameters }, (json) => answer.parse(json), signal)
      if (read.status !== 'ok')
        throw datadog.api.fail('could not answer a query', new Error((read.error ?? read.status).slice(0, 500)))
      return (read.series ?? [])
        .flatMap((one) => toSeries(one, query, metric, text, range))
        .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    },
    promql: (query) => {
      const metric = known.get(query.metric)
      return metric ? print(query, metric, 60) : query.metric
    },
  }

  function toSeries(
    { tag_set, scope, pointlist }: NonNullable<z.output<typeof answer>['series']>[number],
    query: MetricQuery,
    metric: DatadogMetric,
    text: string,
    range: TimeRange,
  ): Series[] {
    const tags = new Map(
      (tag_set ?? scope?.split(',') ?? []).flatMap((tag) => {
        const at = tag.indexOf(':')
        return at === -1 ? [] : [[tag.slice(0, at), tag.slice(at + 1)] as const]
      }),
    )
    const labels: Labels = Object.fromEntries(
      (query.by ?? []).flatMap((label) => {
        const tag = label === 'service' ? undefined : tagOf(metric, label)
        const value = tag === undefined ? undefined : tags.get(tag)
        return value === undefined || value === 'N/A' ? [] : [[label, value]]
      }),
    )
    const points = pointlist.flatMap(([at, value]): Point[] =>
      value === null || !Number.isFinite(value) || at < range.fromMs || at > range.toMs ? [] : [[at, value]],
    )
    if (points.length === 0) return []
    const service = tags.get(serviceTag) ?? ''
    return [{ service, metric: query.metric, as: query.as, labels, query: text, points }]
  }
}

/** In its own steps at least: it has no more than about 1500 points for a query. */
function rollupOf({ fromMs, toMs, stepMs }: TimeRange): number {
  return Math.max(1, Math.round(stepMs / 1000), Math.ceil((toMs - fromMs) / 1000 / 1400))
}

/** Tag values are written plainly; a character with a meaning in a query has none as a value, and stands as what it is stored as. */
const tagValue = (value: string): string => value.toLowerCase().replaceAll(/[^\p{L}\p{N}_:./-]/gu, '_')

const keyOf = ({ service, labels }: Series): string => `${service}\u0000${JSON.stringify(labels)}`
