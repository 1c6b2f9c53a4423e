// What an investigation read, as sources of their own: asked the same questions they answer out of the recording. So that
// recorded evidence walks through the same code as a running system does.
import { isAtLeast } from '../../core/log-level.ts'
import type {
  LogLine,
  LogSource,
  MetricInfo,
  MetricQuery,
  MetricSource,
  Series,
  TimeRange,
} from '../../core/telemetry.ts'

/** Every series there is to a query's metric: the labels that were kept then are kept now. */
export function recordedMetricSource(name: string, series: readonly Series[]): MetricSource {
  const byMetric = new Map<string, Series[]>()
  for (const one of series) {
    const known = byMetric.get(one.metric)
    if (known) known.push(one)
    else byMetric.set(one.metric, [one])
  }
  return {
    name,
    catalogue: async () => [...byMetric].flatMap(([metric, of]) => infoOf(metric, of)),
    labelNames: async (metric) => [
      ...new Set(
        [...(byMetric.get(metric) ?? []), ...(byMetric.get(`${metric}_count`) ?? [])].flatMap(({ labels }) =>
          Object.keys(labels),
        ),
      ),
    ],
    query: async (query, range) =>
      (byMetric.get(query.metric) ?? [])
        .filter(({ as, query: text }) => as === query.as && (query.as !== 'quantile' || saysQuantile(text, query.q)))
        .map((one) => ({ ...one, points: pointsIn(one, range) }))
        .filter(({ points }) => points.length > 0),
    promql: (query: MetricQuery) => `${query.as}(${query.metric})`,
  }
}

const saysQuantile = (text: string, q: number | undefined): boolean =>
  q === undefined || !/quantile\(\s*0\.\d+/.test(text) || text.includes(`quantile(${q}`)

/** A histogram is asked by its own name: what was counted of it belongs to it. */
function infoOf(metric: string, series: readonly Series[]): MetricInfo[] {
  const as = new Set(series.map((one) => one.as))
  if (as.has('mean') || as.has('quantile')) return [{ name: metric, type: 'histogram', help: '' }]
  return [{ name: metric, type: as.has('rate') ? 'counter' : 'gauge', help: '' }]
}

const pointsIn = ({ points }: Series, { fromMs, toMs }: TimeRange): Series['points'] =>
  points.filter(([at]) => at >= fromMs && at <= toMs)

export const recordedLogSource = (name: string, lines: readonly LogLine[]): LogSource => {
  const byRef = new Map(lines.map((line) => [line.ref, line]))
  return {
    name,
    read: async ({ fromMs, toMs, limit, services, minLevel }) => {
      const found = lines.filter(
        ({ at, service, level }) =>
          at >= fromMs &&
          at <= toMs &&
          (services === undefined || services.includes(service)) &&
          (minLevel === undefined || isAtLeast(level, minLevel)),
      )
      return { lines: found.slice(-limit), truncated: found.length > limit }
    },
    findLine: async (ref) => byRef.get(ref),
  }
}
