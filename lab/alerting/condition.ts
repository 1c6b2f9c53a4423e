// What an alert rule asks, in two tongues from one source: as PromQL for a real Prometheus, and as data that the
// embedded evaluator answers from any MetricSource. Both sum over the labels that `by` does not name.

/** One metric, narrowed by anchored regular expressions on its labels. */
export interface Select {
  readonly metric: string
  readonly match?: Readonly<Record<string, string>>
}

export type Measure =
  | { readonly kind: 'gauge'; readonly of: Select }
  /** A counter's increase per second. */
  | { readonly kind: 'rate'; readonly of: Select; readonly overSeconds: number }
  | { readonly kind: 'quantile'; readonly of: Select; readonly q: number; readonly overSeconds: number }
  | { readonly kind: 'ratio'; readonly part: Measure; readonly whole: Measure }
  /** A gauge now, less what it was then. */
  | { readonly kind: 'growth'; readonly of: Select; readonly overSeconds: number }
  /** Seconds until the moment that a gauge names as a Unix timestamp. */
  | { readonly kind: 'until'; readonly of: Select }

export interface Comparison {
  readonly measure: Measure
  readonly is: '>' | '<' | '=='
  readonly than: number
}

/** True for every group of labels where `when` holds, and `and` too if there is one. */
export interface Condition {
  /** Labels to keep beside `service`. */
  readonly by?: readonly string[]
  readonly when: Comparison
  readonly and?: Comparison
}

/** The labels of a condition's results. */
export const groupLabels = (condition: Condition): readonly string[] => ['service', ...(condition.by ?? [])]

/** The condition as Prometheus reads it. */
export function toPromql(condition: Condition): string {
  const by = groupLabels(condition).join(', ')
  const compare = ({ measure, is, than }: Comparison) => `${measurePromql(measure, by)} ${is} ${than}`
  return condition.and ? `${compare(condition.when)} and ${compare(condition.and)}` : compare(condition.when)
}

function measurePromql(measure: Measure, by: string): string {
  const sum = (inner: string) => `sum by (${by}) (${inner})`
  switch (measure.kind) {
    case 'gauge':
      return sum(selector(measure.of))
    case 'rate':
      return sum(`rate(${selector(measure.of)}[${measure.overSeconds}s])`)
    case 'quantile': {
      const buckets = { ...measure.of, metric: `${measure.of.metric}_bucket` }
      return `histogram_quantile(${measure.q}, sum by (${by}, le) (rate(${selector(buckets)}[${measure.overSeconds}s])))`
    }
    case 'ratio':
      return `(${measurePromql(measure.part, by)} / ${measurePromql(measure.whole, by)})`
    case 'growth':
      return `(${sum(selector(measure.of))} - ${sum(`${selector(measure.of)} offset ${measure.overSeconds}s`)})`
    case 'until':
      return `(${sum(selector(measure.of))} - time())`
  }
}

function selector({ metric, match = {} }: Select): string {
  const matchers = Object.entries(match).map(([label, pattern]) => `${label}=~${JSON.stringify(pattern)}`)
  return matchers.length > 0 ? `${metric}{${matchers.join(',')}}` : metric
}
