// Answers a MetricQuery from the store: picks the series, sums them by service and kept labels at every step, and
// leaves out what is no number. What `printPromql` prints for the same query means the same to Prometheus.
import type { Labels, MetricQuery, Point, Series, TimeRange } from '../../core/telemetry.ts'
import { bucketQuantile } from './quantile.ts'
import { addRates, addValues } from './rate.ts'
import type { SampleStore, StoredSeries, TargetRows } from './store.ts'
import { type Reach, readColumn, type RowWindow, rowWindow, stepCount } from './window.ts'

interface Group {
  readonly service: string
  readonly labels: Labels
  readonly sums: Float64Array
}

/** Series of the range, sorted by service and labels. `promql` is put on each. */
export function evaluate(
  store: SampleStore,
  query: MetricQuery,
  range: TimeRange,
  reach: Reach,
  promql: string,
): Series[] {
  const by = [...new Set(query.by)].filter((label) => label !== 'service').sort()
  const windows = new Map<TargetRows, RowWindow>()
  const sum = (sample: string, keep: readonly string[], as: 'value' | 'rate') =>
    sumBy(store, sample, query.where ?? {}, keep, as, range, reach, windows)
  const series: Series[] = []
  const answer = ({ service, labels }: Omit<Group, 'sums'>, valueAt: (step: number) => number) => {
    const points = pointsOf(range, valueAt)
    if (points.length > 0) series.push({ service, metric: query.metric, as: query.as, labels, query: promql, points })
  }
  switch (query.as) {
    case 'value':
    case 'rate':
      for (const group of sum(query.metric, by, query.as).values()) answer(group, (step) => group.sums[step] as number)
      break
    case 'mean': {
      const counts = sum(`${query.metric}_count`, by, 'rate')
      for (const [key, group] of sum(`${query.metric}_sum`, by, 'rate')) {
        const count = counts.get(key)
        if (count) answer(group, (step) => (group.sums[step] as number) / (count.sums[step] as number))
      }
      break
    }
    case 'quantile':
      for (const { group, bounds } of bucketGroups(sum(`${query.metric}_bucket`, [...by, 'le'], 'rate'), by)) {
        answer(group, (step) => {
          const buckets = []
          for (const { upperBound, sums } of bounds) {
            const count = sums[step] as number
            if (!Number.isNaN(count)) buckets.push({ upperBound, count })
          }
          return bucketQuantile(query.q ?? Number.NaN, buckets)
        })
      }
      break
  }
  return series.sort((a, b) => compare(sortKey(a), sortKey(b)))
}

function sumBy(
  store: SampleStore,
  sample: string,
  where: Labels,
  keep: readonly string[],
  as: 'value' | 'rate',
  range: TimeRange,
  reach: Reach,
  windows: Map<TargetRows, RowWindow>,
): Map<string, Group> {
  const groups = new Map<string, Group>()
  const steps = stepCount(range)
  let column = new Float64Array(0)
  for (const series of store.named(sample)) {
    if (!matches(series, where)) continue
    let window = windows.get(series.target)
    if (!window) windows.set(series.target, (window = rowWindow(series.target, range, reach)))
    if (column.length < window.times.length) column = new Float64Array(window.times.length)
    if (!readColumn(series, window, column)) continue
    const service = labelOf(series.labels, 'service')
    const kept = keep.flatMap((label) => {
      const value = labelOf(series.labels, label)
      return value === '' ? [] : [[label, value] as const]
    })
    const key = JSON.stringify([service, kept])
    let group = groups.get(key)
    if (!group) {
      group = { service, labels: Object.fromEntries(kept), sums: new Float64Array(steps).fill(Number.NaN) }
      groups.set(key, group)
    }
    if (as === 'rate') addRates(column, window, group.sums)
    else addValues(column, window, group.sums)
  }
  return groups
}

interface BucketGroup {
  readonly group: Omit<Group, 'sums'>
  readonly bounds: { readonly upperBound: number; readonly sums: Float64Array }[]
}

/** The same groups without `le`, the buckets of each ascending. */
function bucketGroups(groups: ReadonlyMap<string, Group>, by: readonly string[]): Iterable<BucketGroup> {
  const found = new Map<string, BucketGroup>()
  for (const { service, labels, sums } of groups.values()) {
    const upperBound = readBound(labelOf(labels, 'le'))
    if (Number.isNaN(upperBound)) continue
    const kept = by.filter((label) => Object.hasOwn(labels, label)).map((label) => [label, labels[label]] as const)
    const key = JSON.stringify([service, kept])
    let entry = found.get(key)
    if (!entry) found.set(key, (entry = { group: { service, labels: Object.fromEntries(kept) as Labels }, bounds: [] }))
    entry.bounds.push({ upperBound, sums })
  }
  for (const { bounds } of found.values()) bounds.sort((a, b) => a.upperBound - b.upperBound)
  return found.values()
}

const readBound = (le: string): number =>
  le === '+Inf' ? Number.POSITIVE_INFINITY : le === '' ? Number.NaN : Number(le)

/** An absent label is an empty one, as in Prometheus. */
const labelOf = (labels: Labels, name: string): string => (Object.hasOwn(labels, name) ? (labels[name] ?? '') : '')

const matches = (series: StoredSeries, where: Labels): boolean =>
  Object.entries(where).every(([label, value]) => labelOf(series.labels, label) === value)

/** Finite values only: neither JSON nor a plot can carry the others. */
function pointsOf(range: TimeRange, valueAt: (step: number) => number): Point[] {
  const points: Point[] = []
  const steps = stepCount(range)
  for (let step = 0; step < steps; step++) {
    const value = valueAt(step)
    if (Number.isFinite(value)) points.push([range.fromMs + step * range.stepMs, value])
  }
  return points
}

const sortKey = (series: Series): string => `${series.service}\u0000${JSON.stringify(series.labels)}`
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
