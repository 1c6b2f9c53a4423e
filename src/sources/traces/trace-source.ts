// A MetricSource over traces: what they say of services and calls, minute by minute, under the names that a tracing backend's
// service graph has. Traces are read once for the questions of one look. A minute of which not all traces were given has no count:
// too few calls would look like calls that stopped coming.
import type { Clock } from '../../core/clock.ts'
import { orAborted } from '../../core/deadline.ts'
import { AppError } from '../../core/errors.ts'
import type { Labels, MetricInfo, MetricQuery, MetricSource, Point, Series, TimeRange } from '../../core/telemetry.ts'
import { type Measured, measure, type Span } from './spans.ts'

export interface Traces {
  /** Each once, though several questions found the same trace. */
  readonly spans: readonly Span[]
  /** Stretches of which not all traces were given: what is counted in them is too little. */
  readonly partial: readonly { readonly fromMs: number; readonly toMs: number }[]
}

export interface TraceSourceOptions {
  readonly name: string
  readonly clock: Clock
  /** The spans that begin within the range, of whole traces. */
  readonly read: (fromMs: number, toMs: number, signal: AbortSignal) => Promise<Traces>
}

interface Looked {
  readonly measured: readonly Measured[]
  readonly partial: readonly { readonly fromMs: number; readonly toMs: number }[]
}

/** One reading of traces, for all who ask for the same time. */
interface Look {
  readonly atMs: number
  readonly looked: Promise<Looked>
  readonly stopping: AbortController
  waiting: number
}

const BUCKET_MS = 60_000
const KEEP_MS = 60_000
const MAX_KEPT = 3

const METRICS: readonly (MetricInfo & { readonly labels: readonly string[] })[] = [
  { name: 'span_count', type: 'counter', help: 'Calls of a service, by how they ended.', labels: ['status'] },
  { name: 'span_p95_ms', type: 'gauge', help: '95th percentile of the time of calls.', labels: [] },
  { name: 'span_self_p95_ms', type: 'gauge', help: 'The same, of spans without their children.', labels: [] },
  { name: 'edge_count', type: 'counter', help: 'Calls from one service to another.', labels: ['callee', 'status'] },
  { name: 'edge_client_p95_ms', type: 'gauge', help: 'What the caller waited.', labels: ['callee'] },
  { name: 'edge_server_p95_ms', type: 'gauge', help: 'What the callee worked.', labels: ['callee'] },
  { name: 'edge_gap_p95_ms', type: 'gauge', help: 'What was lost between the two.', labels: ['callee'] },
]

export function createTraceSource(options: TraceSourceOptions): MetricSource {
  const kept = new Map<string, Look>()

  const begin = (key: string, fromMs: number, toMs: number): Look => {
    const stopping = new AbortController()
    const looked = options.read(fromMs, toMs, stopping.signal).then(({ spans, partial }) => ({
      measured: measure(spans),
      partial,
    }))
    const one: Look = { atMs: options.clock.now(), looked, stopping, waiting: 0 }
    kept.set(key, one)
    // Whoever comes after a failure asks again.
    looked.catch(() => forget(key, one))
    const [oldest] = kept.keys()
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest)
    return one
  }

  const forget = (key: string, one: Look): void => {
    if (kept.get(key) === one) kept.delete(key)
  }

  const look = async (fromMs: number, toMs: number, signal: AbortSignal): Promise<Looked> => {
    const key = `${fromMs} ${toMs}`
    const now = options.clock.now()
    for (const [other, { atMs }] of kept) if (now - atMs > KEEP_MS) kept.delete(other)
    const one = kept.get(key) ?? begin(key, fromMs, toMs)
    one.waiting++
    try {
      return await orAborted(one.looked, signal)
    } catch (error) {
      // Whoever stops waiting leaves the others to go on; the last one ends what nobody waits for.
      if (one.waiting === 1) {
        forget(key, one)
        one.stopping.abort(error)
      }
      throw error
    } finally {
      one.waiting--
    }
  }

  return {
    name: options.name,
    catalogue: () => Promise.resolve(METRICS.map(({ name, type, help }) => ({ name, type, help }))),
    labelNames: (metric) => Promise.resolve(METRICS.find(({ name }) => name === metric)?.labels ?? []),
    async query(query, range, signal) {
      signal.throwIfAborted()
      const info = METRICS.find(({ name }) => name === query.metric)
      if (!info) return []
      if ((info.type === 'counter') !== (query.as === 'rate'))
        throw new AppError('malformed', `${query.metric} cannot be asked for as ${query.as}.`, { field: 'as' })
      const bucketMs = Math.ceil(Math.max(BUCKET_MS, range.stepMs) / BUCKET_MS) * BUCKET_MS
      // Whole buckets of the clock, so that the same time has the same numbers whenever it is asked for.
      const fromMs = Math.ceil(range.fromMs / bucketMs) * bucketMs
      const toMs = Math.floor(range.toMs / bucketMs) * bucketMs
      if (toMs <= fromMs) return []
      return toSeries(query, info.type === 'counter', await look(fromMs, toMs, signal), {
        fromMs,
        toMs,
        stepMs: bucketMs,
      })
    },
    promql: printQuery,
  }
}

/** Not PromQL, as traces have none: the metric and its conditions in the same notation. */
function printQuery({ metric, where = {}, by = [] }: MetricQuery): string {
  const conditions = Object.entries(where).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `${metric}${conditions.length === 0 ? '' : `{${conditions.join(', ')}}`} by (${['service', ...by].join(', ')}), from traces`
}

function toSeries(query: MetricQuery, counted: boolean, { measured, partial }: Looked, range: TimeRange): Series[] {
  const where = Object.entries(query.where ?? {})
  const found = new Map<string, { service: string; labels: Labels; buckets: Map<number, number[]> }>()
  for (const { metric, service, labels, atMs, value } of measured) {
    if (metric !== query.metric || atMs < range.fromMs || atMs >= range.toMs) continue
    if (!where.every(([name, wanted]) => (name === 'service' ? service : (labels[name] ?? '')) === wanted)) continue
    const shown = Object.fromEntries(
      (query.by ?? []).flatMap((name) => (labels[name] === undefined ? [] : [[name, labels[name]]])),
    )
    const key = JSON.stringify([service, shown])
    const one = found.get(key) ?? { service, labels: shown, buckets: new Map<number, number[]>() }
    found.set(key, one)
    // A bucket is told at its end, as a rate is.
    const at = range.fromMs + (Math.floor((atMs - range.fromMs) / range.stepMs) + 1) * range.stepMs
    const values = one.buckets.get(at)
    if (values) values.push(value)
    else one.buckets.set(at, [value])
  }
  const whole = (at: number) => !partial.some((part) => part.fromMs < at && part.toMs > at - range.stepMs)
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { service, labels, buckets }]) => {
      const points: Point[] = []
      for (let at = range.fromMs + range.stepMs; at <= range.toMs; at += range.stepMs) {
        const values = buckets.get(at)
        // No call in a minute that was read whole is a count; no latency is none.
        if (counted && whole(at)) points.push([at, (values?.length ?? 0) / (range.stepMs / 1000)])
        else if (!counted && values) points.push([at, percentile95(values)])
      }
      return points.length === 0
        ? []
        : { service, metric: query.metric, as: query.as, labels, query: printQuery(query), points }
    })
}

function percentile95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(0.95 * sorted.length) - 1)] ?? 0
}
