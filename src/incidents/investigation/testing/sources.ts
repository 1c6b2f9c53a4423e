// A metric and a log source over recorded series, through the interfaces that production uses. Time after the recording
// goes on as it ended, or as it began once the system is mended.
import type {
  LogLine,
  LogSource,
  MetricInfo,
  MetricQuery,
  MetricSource,
  Point,
  Series,
  TimeRange,
} from '../../../core/telemetry.ts'

export interface RecordedSource extends MetricSource {
  /** From now on the numbers are those of the quiet time. */
  mendAt(ms: number): void
}

export function recordedMetrics(name: string, series: readonly Series[], stepMs: number): RecordedSource {
  let mendedMs = Number.POSITIVE_INFINITY
  const typeOf = (metric: string): MetricInfo['type'] => {
    const as = series.find((one) => one.metric === metric)?.as
    return as === 'rate' ? 'counter' : as === 'value' ? 'gauge' : 'histogram'
  }
  return {
    name,
    mendAt: (ms) => {
      mendedMs = ms
    },
    catalogue: async () =>
      [...new Set(series.map(({ metric }) => metric))].map((metric) => ({
        name: metric,
        type: typeOf(metric),
        help: '',
      })),
    labelNames: async (metric) => [
      ...new Set(series.filter((one) => one.metric === metric).flatMap(({ labels }) => Object.keys(labels))),
    ],
    query: async (query, range) =>
      series
        .filter(({ metric, as }) => metric === query.metric && as === query.as)
        .map((one) => ({ ...one, points: pointsIn(one, range, stepMs, mendedMs) }))
        .filter(({ points }) => points.length > 0),
    promql: (query: MetricQuery) => `${query.as}(${query.metric})`,
  }
}

function pointsIn({ points }: Series, range: TimeRange, recordedStepMs: number, mendedMs: number): Point[] {
  const { fromMs, toMs } = range
  const stepMs = Math.max(recordedStepMs, range.stepMs)
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last) return []
  const later: Point[] = []
  for (let at = last[0] + stepMs; at <= toMs; at += stepMs) later.push([at, at < mendedMs ? last[1] : first[1]])
  return [...points, ...later].filter(([at]) => at >= fromMs && at <= toMs)
}

export const recordedLogs = (name: string, lines: readonly LogLine[]): LogSource => ({
  name,
  read: async ({ fromMs, toMs, limit }) => {
    const found = lines.filter(({ at }) => at >= fromMs && at <= toMs)
    return { lines: found.slice(-limit), truncated: found.length > limit }
  },
  findLine: async (ref) => lines.find((line) => line.ref === ref),
})
