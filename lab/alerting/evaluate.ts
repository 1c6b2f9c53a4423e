// Answers a rule's condition from any MetricSource, at one instant, with the result that its PromQL would have.
import type { Labels, MetricQuery, MetricSource, Series } from '../../src/core/telemetry.ts'
import { type Comparison, type Condition, groupLabels, type Measure, type Select } from './condition.ts'

/** One element of a result: the labels of its group and the value of the left side. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
}

type Vector = ReadonlyMap<string, Sample>

/** Throws what the source throws. */
export async function evaluate(
  condition: Condition,
  source: MetricSource,
  atMs: number,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const labels = groupLabels(condition)
  const compare = async ({ measure, is, than }: Comparison): Promise<Vector> => {
    const vector = await measureVector({ measure, labels, source, atMs, signal })
    return new Map([...vector].filter(([, { value }]) => holds(value, is, than)))
  }
  const found = await compare(condition.when)
  if (found.size === 0 || !condition.and) return [...found.values()]
  const also = await compare(condition.and)
  return [...found].flatMap(([key, sample]) => (also.has(key) ? [sample] : []))
}

function holds(value: number, is: Comparison['is'], than: number): boolean {
  switch (is) {
    case '>':
      return value > than
    case '<':
      return value < than
    case '==':
      return value === than
  }
}

interface Question {
  readonly measure: Measure
  readonly labels: readonly string[]
  readonly source: MetricSource
  readonly atMs: number
  readonly signal: AbortSignal
}

async function measureVector(question: Question): Promise<Vector> {
  const { measure, atMs } = question
  switch (measure.kind) {
    case 'gauge':
      return ask(question, measure.of, { as: 'value' }, 1)
    case 'rate':
      return ask(question, measure.of, { as: 'rate' }, measure.overSeconds)
    case 'quantile':
      return ask(question, measure.of, { as: 'quantile', q: measure.q }, measure.overSeconds)
    case 'ratio': {
      const part = await measureVector({ ...question, measure: measure.part })
      const whole = await measureVector({ ...question, measure: measure.whole })
      return join(part, whole, (a, b) => a / b)
    }
    case 'growth': {
      const gauge: Measure = { kind: 'gauge', of: measure.of }
      const now = await measureVector({ ...question, measure: gauge })
      const then = await measureVector({ ...question, measure: gauge, atMs: atMs - measure.overSeconds * 1000 })
      return join(now, then, (a, b) => a - b)
    }
    case 'until': {
      const moment = await measureVector({ ...question, measure: { kind: 'gauge', of: measure.of } })
      return new Map([...moment].map(([key, sample]) => [key, { ...sample, value: sample.value - atMs / 1000 }]))
    }
  }
}

function join(left: Vector, right: Vector, combine: (a: number, b: number) => number): Vector {
  const joined = new Map<string, Sample>()
  for (const [key, { labels, value }] of left) {
    const other = right.get(key)
    if (other) joined.set(key, { labels, value: combine(value, other.value) })
  }
  return joined
}

/** Asks with the matched labels kept, drops what does not match, and sums the rest down to the group. */
async function ask(
  { labels, source, atMs, signal }: Question,
  { metric, match = {} }: Select,
  as: Pick<MetricQuery, 'as' | 'q'>,
  windowSeconds: number,
): Promise<Vector> {
  const by = [...new Set([...labels, ...Object.keys(match)])].filter((label) => label !== 'service')
  // One step, as long as the window: a source's rates look back over at least a step.
  const range = { fromMs: atMs, toMs: atMs, stepMs: windowSeconds * 1000 }
  const series = await source.query({ metric, ...as, by }, range, signal)
  const patterns = Object.entries(match).map(([label, pattern]) => [label, new RegExp(`^(?:${pattern})$`)] as const)
  const sums = new Map<string, Sample>()
  for (const one of series) {
    if (!patterns.every(([label, pattern]) => pattern.test(one.labels[label] ?? ''))) continue
    const value = one.points.at(-1)?.[1]
    if (value === undefined) continue
    const group = groupOf(one, labels)
    const key = JSON.stringify(group)
    sums.set(key, { labels: group, value: (sums.get(key)?.value ?? 0) + value })
  }
  return sums
}

function groupOf(series: Series, labels: readonly string[]): Labels {
  const all: Labels = { ...series.labels, service: series.service }
  return Object.fromEntries(labels.flatMap((label) => (all[label] ? [[label, all[label]]] : [])))
}
