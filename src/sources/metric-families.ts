// From the names of samples to the metrics that people know: `x_bucket`, `x_sum` and `x_count` are one histogram `x`.
// Declared types win; where nobody declared one (a target that is gone takes its metadata along) the name tells.
import type { MetricInfo, MetricType } from '../core/telemetry.ts'

export interface DeclaredFamily {
  readonly type: MetricType
  readonly help: string
}

const PARTS = ['_bucket', '_sum', '_count', '_created'] as const

/** Every metric behind these sample names, sorted by name. A counter keeps the `_total` that it is queried by. */
export function familiesOf(
  sampleNames: ReadonlySet<string>,
  declared: ReadonlyMap<string, DeclaredFamily>,
): MetricInfo[] {
  const found = new Map<string, MetricInfo>()
  for (const sample of sampleNames) {
    const info = familyOf(sample, sampleNames, declared)
    if (info) found.set(info.name, info)
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function familyOf(
  sample: string,
  all: ReadonlySet<string>,
  declared: ReadonlyMap<string, DeclaredFamily>,
): MetricInfo | undefined {
  const own = declared.get(sample)
  if (own && own.type !== 'unknown') return { name: sample, ...own }
  for (const part of PARTS) {
    if (!sample.endsWith(part)) continue
    const base = sample.slice(0, -part.length)
    const family = declared.get(base) ?? declared.get(`${base}_total`)
    if (family?.type === 'histogram' || family?.type === 'summary') return { name: base, ...family }
    // OpenMetrics tells when a counter was made: not a measurement.
    if (part === '_created' && family?.type === 'counter') return undefined
    if (all.has(`${base}_bucket`) && all.has(`${base}_count`)) return { name: base, type: 'histogram', help: '' }
  }
  // OpenMetrics declares `x` and exposes `x_total`.
  const total = sample.endsWith('_total') ? declared.get(sample.slice(0, -'_total'.length)) : undefined
  if (total?.type === 'counter') return { name: sample, ...total }
  return { name: sample, type: guessType(sample), help: own?.help ?? '' }
}

function guessType(sample: string): MetricType {
  if (sample === 'up') return 'gauge'
  return sample.endsWith('_total') ? 'counter' : 'unknown'
}

/** The sample names under which a metric may be stored. */
export const sampleNamesOf = (metric: string): readonly string[] => [
  metric,
  `${metric}_bucket`,
  `${metric}_sum`,
  `${metric}_count`,
]

export function toMetricType(declared: string): MetricType {
  switch (declared) {
    case 'counter':
    case 'gauge':
    case 'histogram':
    case 'summary':
      return declared
    case 'info':
    case 'stateset':
      return 'gauge'
    default:
      return 'unknown'
  }
}
