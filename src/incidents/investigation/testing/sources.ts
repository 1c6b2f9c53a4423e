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
  /** From now on every number is three times as far from the quiet time as at the end of the recording. */
  worsenAt(ms: number): void
}

export function recordedMetrics(name: string, series: readonly Series[], stepMs: number): RecordedSource {
  let mendedMs = Number.POSITIVE_INFINITY
  let worseMs = Number.POSITIVE_INFINITY
  const typeOf = (metric: string): MetricInfo['type'] => {
    const as = series.find((one) => one.metric === metric)?.as
    return as === 'rate' ? 'counter' : as === 'value' ? 'gauge' : 'histogram'
  }
  return {
    name,
    mendAt: (ms) => {
      mendedMs = ms
    },
    worsenAt: (ms) => {
      worseMs = ms
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
        .map((one) => ({ ...one, points: pointsIn(one, range, stepMs, { mendedMs, worseMs }) }))
        .filter(({ points }) => points.length > 0),
    promql: (query: MetricQuery) => `${query.as}(${query.metric})`,
  }
}

interface Turns {
  readonly mendedMs: number
  readonly worseMs: number
}

function pointsIn({ points }: Series, range: TimeRange, recordedStepMs: number, { mendedMs, worseMs }: Turns): Point[] {
  const { fromMs, toMs } = range
  const stepMs = Math.max(recordedStepMs, range.stepMs)
  const [first, last] = [points[0], points.at(-1)]
  if (!first || !last) return []
  const later: Point[] = []
  // In step with the recording, however long ago that ended.
  const skipped = Math.max(0, Math.floor((fromMs - last[0]) / stepMs) - 1)
  for (let at = last[0] + (skipped + 1) * stepMs; at <= toMs; at += stepMs) {
    const worse = first[1] + 3 * (last[1] - first[1])
    later.push([at, at >= mendedMs ? first[1] : at >= worseMs ? worse : last[1]])
  }
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
