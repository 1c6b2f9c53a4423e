// Pieces of the healthy time presented as if an alert had fired in their middle, compared with the rest of the healthy time.
// There is no culprit: a name given here is a false alarm.
import type { Recording } from '../../src/cli/case-folder.ts'
import type { LogLine, Series } from '../../src/core/telemetry.ts'
import type { CaseInput } from '../../src/diagnosis/case.ts'
import type { RecordedSet } from './sets.ts'

export interface QuietCase {
  readonly input: CaseInput
  readonly baseline: Recording
}

/** Up to `most` pieces as long as a case of the set, spread over its healthy time. */
export function cutQuietCases(set: RecordedSet, most: number): QuietCase[] {
  const example = set.cases[0]?.input
  if (!example) return []
  const { stepMs } = example
  const [beforeMs, afterMs] = extentOf(example)
  const times = [...new Set(set.baseline.series.flatMap(({ points }) => points.map(([time]) => time)))].sort(
    (a, b) => a - b,
  )
  const whole: number[] = []
  let from = 0
  for (let i = 1; i <= times.length; i++) {
    const last = times[i - 1] ?? 0
    if (i < times.length && (times[i] ?? 0) - last < 1.6 * stepMs) continue
    const startMs = times[from] ?? 0
    for (let at = startMs; at + 0.7 * (beforeMs + afterMs) <= last; at += beforeMs + afterMs) whole.push(at)
    from = i
  }
  const every = Math.max(1, whole.length / most)
  return Array.from({ length: Math.min(most, whole.length) }, (_, i) => whole[Math.floor(i * every)] ?? 0).map(
    (startMs) => cut(set, example, startMs, startMs + beforeMs, startMs + beforeMs + afterMs),
  )
}

function extentOf({ series, alertAtMs }: CaseInput): [number, number] {
  const times = series.flatMap(({ points }) => points.map(([time]) => time))
  const [first, last] = times.reduce(([a, b], time) => [Math.min(a, time), Math.max(b, time)], [alertAtMs, alertAtMs])
  return [alertAtMs - first, last - alertAtMs]
}

function cut(
  { baseline }: RecordedSet,
  example: CaseInput,
  fromMs: number,
  alertAtMs: number,
  toMs: number,
): QuietCase {
  const inside = (at: number): boolean => at >= fromMs && at <= toMs
  const series = (keep: (at: number) => boolean): Series[] =>
    baseline.series.map((one) => ({ ...one, points: one.points.filter(([time]) => keep(time)) }))
  const lines = (keep: (at: number) => boolean): LogLine[] => baseline.logs.filter(({ at }) => keep(at))
  return {
    input: {
      ...example,
      alertAtMs,
      symptoms: example.symptoms.map((one) => ({ ...one, startsAtMs: alertAtMs })),
      series: series(inside).filter(({ points }) => points.length > 0),
      logs: lines(inside),
    },
    baseline: { series: series((at) => !inside(at)), logs: lines((at) => !inside(at)) },
  }
}
