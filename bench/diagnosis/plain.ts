// Plain methods on the same cases, to be beaten: two that rank services by how far their worst metric moved, and a rule of
// thumb that an engineer would write in ten minutes.
import { firstAt, median, quantileOf, toTrack } from '../../src/diagnosis/stats.ts'
import type { Recording } from '../../src/cli/case-folder.ts'
import type { LogLine, Series } from '../../src/core/telemetry.ts'
import type { CaseInput } from '../../src/diagnosis/case.ts'
import { OBSERVERS } from './sets.ts'

type Ranking = (input: CaseInput, baseline: Recording) => string[]

/**
 * Each service by its worst metric: how many scales it moved from two steps before the alert on, by the median or by the
 * farthest value (BARO's scorer: Pham et al., FSE 2024). Where the alert names a metric, metrics of its kind alone count.
 */
const rankByDeviation =
  (by: 'median' | 'largest'): Ranking =>
  (input, baseline) => {
    const normals = cached(baseline, 'normals', () =>
      keyed(baseline.series, (one) => {
        const sorted = toTrack(one.points).values.slice().sort()
        return { centre: quantileOf(sorted, 0.5), spread: quantileOf(sorted, 0.75) - quantileOf(sorted, 0.25) }
      }),
    )
    const kind = /^([a-z]+)_/i.exec(input.symptoms[0]?.name ?? '')?.[1]
    const ofKind = input.series.filter(({ metric }) => kind !== undefined && metric.startsWith(kind))
    const scores = new Map<string, number>()
    for (const one of ofKind.length > 0 ? ofKind : input.series) {
      const normal = normals.get(keyOf(one))
      const track = toTrack(one.points)
      const values = track.values.subarray(firstAt(track, input.alertAtMs - 2 * input.stepMs))
      if (!normal || values.length === 0) continue
      const scale = Math.max(normal.spread, 0.05 * Math.abs(normal.centre), 1e-6)
      const far =
        by === 'median'
          ? Math.abs(median(values) - normal.centre)
          : Math.max(...Array.from(values, (value) => Math.abs(value - normal.centre)))
      scores.set(one.service, Math.max(scores.get(one.service) ?? 0, far / scale))
    }
    return ranked(scores)
  }

/**
 * Error lines that are new or three times as frequent, lines that vanished, CPU above 1.5 times its 98th percentile, and
 * time lost on every edge to a service: each counts for the service, nothing is weighed.
 */
const ruleOfThumb: Ranking = (input, baseline) => {
  const scores = new Map<string, number>()
  const add = (service: string, score: number): void => void scores.set(service, (scores.get(service) ?? 0) + score)
  const before = cached(baseline, 'lines', () => ({ lines: countLines(baseline.logs), ms: spanOf(baseline.logs) }))
  const after = countLines(input.logs)
  const longer = spanOf(input.logs) / Math.max(1, before.ms)
  for (const key of new Set([...before.lines.keys(), ...after.keys()])) {
    const { service, error } = before.lines.get(key) ?? after.get(key) ?? { service: '', error: false }
    const count = after.get(key)?.count ?? 0
    const expected = (before.lines.get(key)?.count ?? 0) * longer
    if (error && count > 2 && count > 3 * expected) add(service, Math.log2(count / (expected + 1)))
    if (!error && expected > 10 && count < expected / 3) add(service, 2)
  }
  const edges = new Map<string, number[]>()
  const highs = cached(baseline, 'highs', () =>
    keyed(baseline.series, (one) => quantileOf(toTrack(one.points).values.slice().sort(), 0.98)),
  )
  for (const one of input.series) {
    const high = highs.get(keyOf(one))
    const track = toTrack(one.points)
    const most = Math.max(...track.values.subarray(firstAt(track, input.alertAtMs - 3 * input.stepMs)))
    if (high === undefined) continue
    if (one.metric === 'CpuUsageRate(%)' && most > 1.5 * high) add(one.service, most / high)
    const callee = one.labels['callee']
    if (one.metric === 'edge_gap_p95_ms' && callee !== undefined)
      edges.set(callee, [...(edges.get(callee) ?? []), most / high])
  }
  for (const [callee, grew] of edges) if (Math.min(...grew) > 1.5) add(callee, Math.min(...grew))
  return ranked(scores)
}

export const PLAIN: Readonly<Record<string, Ranking>> = {
  'shift of the median': rankByDeviation('median'),
  'largest deviation': rankByDeviation('largest'),
  'rule of thumb': ruleOfThumb,
}

const ranked = (scores: ReadonlyMap<string, number>): string[] =>
  [...scores]
    .filter(([service]) => !OBSERVERS.includes(service))
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([service]) => service)

const keyOf = (one: Series): string => `${one.service} ${one.query}`
const keyed = <T>(series: readonly Series[], of: (one: Series) => T): Map<string, T> =>
  new Map(series.map((one) => [keyOf(one), of(one)]))

interface Lines {
  readonly service: string
  readonly error: boolean
  count: number
}

function countLines(logs: readonly LogLine[]): Map<string, Lines> {
  const lines = new Map<string, Lines>()
  for (const { service, message, level } of logs) {
    const key = `${service} ${message.slice(0, 300).replaceAll(/[0-9a-f-]{36}|\d+/g, '#')}`
    const known = lines.get(key)
    if (known) known.count++
    else lines.set(key, { service, error: level === 'error' || level === 'fatal', count: 1 })
  }
  return lines
}

/** Time that lines cover, without the pauses between recordings. */
function spanOf(logs: readonly LogLine[]): number {
  const times = Float64Array.from(logs, ({ at }) => at).sort()
  let sum = 0
  for (let i = 1; i < times.length; i++) sum += Math.min(30_000, (times[i] ?? 0) - (times[i - 1] ?? 0))
  return sum
}

const kept = new WeakMap<Recording, Map<string, unknown>>()

/** Worked out once for a baseline. */
function cached<T>(baseline: Recording, name: string, work: () => T): T {
  const known = kept.get(baseline) ?? new Map<string, unknown>()
  kept.set(baseline, known)
  if (!known.has(name)) known.set(name, work())
  return known.get(name) as T
}
