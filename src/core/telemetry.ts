// The language in which sources speak of a running system and diagnosis reasons about it: series, log lines, changes,
// and the interfaces of the sources themselves. All times are milliseconds since the Unix epoch.

/** `[time ms, value]`. */
export type Point = readonly [number, number]

export type Labels = Readonly<Record<string, string>>

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown'

/** One metric a source knows: its base name (a histogram without `_bucket`), type and help text. */
export interface MetricInfo {
  readonly name: string
  readonly type: MetricType
  readonly help: string
}

/**
 * A question every MetricSource can answer and print as PromQL.
 * `value`: a gauge as it is. `rate`: a counter's increase per second. `mean`: a histogram's sum over its count.
 * `quantile`: a histogram's quantile `q`. Series are summed by `by` (gauges too) plus the service label.
 */
export interface MetricQuery {
  readonly metric: string
  readonly as: 'value' | 'rate' | 'mean' | 'quantile'
  /** 0 to 1, for `quantile`. */
  readonly q?: number
  /** Label → exact value. */
  readonly where?: Labels
  /** Labels to keep beside the service. */
  readonly by?: readonly string[]
}

export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
}

/** A series of numbers of one service, with the query that anyone can run again. */
export interface Series {
  readonly service: string
  readonly metric: string
  readonly as: MetricQuery['as']
  /** The labels kept by the query, without the service. */
  readonly labels: Labels
  /** PromQL. */
  readonly query: string
  readonly points: readonly Point[]
}

export interface MetricSource {
  readonly name: string
  /** Every metric that has samples in the range. */
  catalogue(range: TimeRange, signal: AbortSignal): Promise<readonly MetricInfo[]>
  /** Names of labels that occur on a metric in the range, without `__name__`. */
  labelNames(metric: string, range: TimeRange, signal: AbortSignal): Promise<readonly string[]>
  /** Series without a point in the range are left out. Gaps stay gaps: nothing is filled in. */
  query(query: MetricQuery, range: TimeRange, signal: AbortSignal): Promise<readonly Series[]>
  /**
   * The one number that a PromQL expression has at a time; undefined when it has none. Only where the source speaks
   * PromQL itself. Throws when the expression is wrong or has several.
   */
  evaluate?(promql: string, atMs: number, signal: AbortSignal): Promise<number | undefined>
  /** The PromQL for a query, as shown to people. */
  promql(query: MetricQuery): string
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export interface LogLine {
  readonly at: number
  readonly service: string
  readonly level: LogLevel
  readonly message: string
  readonly requestId?: string
  /** Where the line can be read again: understood by the source that gave it. */
  readonly ref: string
}

export interface LogQuery {
  readonly fromMs: number
  readonly toMs: number
  readonly services?: readonly string[]
  readonly minLevel?: LogLevel
  /** At most this many lines; the newest are kept, and `truncated` says so. */
  readonly limit: number
}

export interface LogSource {
  readonly name: string
  /** Lines in order of time. `problems` says in words what could not be read: a missing folder, no permission. */
  read(
    query: LogQuery,
    signal: AbortSignal,
  ): Promise<{ lines: readonly LogLine[]; truncated: boolean; problems?: readonly string[] }>
  /** The line behind a `ref`, or undefined when it is gone. */
  findLine(ref: string, signal: AbortSignal): Promise<LogLine | undefined>
}

export const CHANGE_KINDS = ['deploy', 'config', 'flag', 'scale', 'restart', 'other'] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]

/** Something that someone (or something) changed in the running system. */
export interface Change {
  readonly id: string
  readonly at: number
  readonly service: string
  readonly kind: ChangeKind
  readonly summary: string
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly author?: string | undefined
}

/** Who knows of changes without being told them one by one: a repository, a place that deploys. */
export interface ChangeSource {
  readonly name: string
  /** Changes with `fromMs` ≤ time ≤ `toMs`, in order of time. The same change has the same id each time it is read. */
  read(range: Pick<TimeRange, 'fromMs' | 'toMs'>, signal: AbortSignal): Promise<readonly Change[]>
}

/** `caller` sends requests to `callee`. */
export interface Edge {
  readonly caller: string
  readonly callee: string
}
