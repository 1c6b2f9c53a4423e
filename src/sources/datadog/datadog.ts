// Datadog as a source of numbers and of log lines, which share its limits.
import type { LogSource, MetricSource } from '../../core/telemetry.ts'
import { connectDatadog, type DatadogAccess } from './api.ts'
import { createDatadogLogs } from './logs.ts'
import { createDatadogMetrics, type DatadogMetric } from './metrics.ts'

export interface DatadogOptions extends DatadogAccess {
  /** The tag that names the service of a series. */
  readonly serviceTag: string
  /** Restricts both: `env:prod`. */
  readonly filter: string
  readonly metrics: readonly DatadogMetric[]
  /** Whether logs are read. */
  readonly logs: boolean
}

export function createDatadogSources(options: DatadogOptions): {
  readonly metrics: readonly MetricSource[]
  readonly logs: readonly LogSource[]
} {
  const datadog = connectDatadog(options)
  return {
    metrics: options.metrics.length === 0 ? [] : [createDatadogMetrics(datadog, options)],
    logs: options.logs ? [createDatadogLogs(datadog, options.filter)] : [],
  }
}
