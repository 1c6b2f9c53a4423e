// A MetricQuery as PromQL: one printer for every source, so that what a person copies out of a report means the same
// as what was asked. Label values are escaped; names that PromQL could not read are refused.
import { AppError } from '../core/errors.ts'
import type { Labels, MetricQuery } from '../core/telemetry.ts'

/** How a series tells its service: by one label, or by `label` where it has one and else by `fallback`. */
export type ServiceGrouping =
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'either'; readonly label: string; readonly fallback: string }

/** What the plain syntax can name. Prometheus 3 also holds names such as `http.requests`; nobody can ask for those here. */
export const METRIC_NAME = /^[A-Za-z_:][A-Za-z0-9_:]*$/
export const LABEL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Prints a query. `windowMs` is what rates look back over. In `where`, `service` stands for the service label. */
export function printPromql(query: MetricQuery, windowMs: number, grouping: ServiceGrouping): string {
  checkQuery(query)
  const window = `[${duration(windowMs)}]`
  const sum = (sample: string, more: readonly string[] = []) =>
    sumOf(sample, query, grouping, more, (selector) => `rate(${selector}${window})`)
  switch (query.as) {
    case 'value':
      return sumOf(query.metric, query, grouping, [], (selector) => selector)
    case 'rate':
      return sum(query.metric)
    case 'mean':
      return `${sum(`${query.metric}_sum`)} / ${sum(`${query.metric}_count`)}`
    case 'quantile':
      return `histogram_quantile(${query.q}, ${sum(`${query.metric}_bucket`, ['le'])})`
  }
}

/** Throws AppError `malformed` for a query that no source could answer. */
export function checkQuery(query: MetricQuery): void {
  if (!METRIC_NAME.test(query.metric)) throw malformed('metric', `"${query.metric}" is not a metric name.`)
  for (const label of [...Object.keys(query.where ?? {}), ...(query.by ?? [])]) {
    if (!LABEL_NAME.test(label)) throw malformed('by', `"${label}" is not a label name.`)
  }
  if (query.as === 'quantile' && !(query.q !== undefined && query.q >= 0 && query.q <= 1)) {
    throw malformed('q', 'A quantile needs q from 0 to 1.')
  }
}

const malformed = (field: string, message: string) => new AppError('malformed', message, { field })

function sumOf(
  sample: string,
  query: MetricQuery,
  grouping: ServiceGrouping,
  more: readonly string[],
  of: (selector: string) => string,
): string {
  const by = [...new Set([grouping.label, ...more, ...(query.by ?? []).filter((label) => label !== 'service')])]
  const { service, ...where } = query.where ?? {}
  const named = (label: string): Labels => (service === undefined ? {} : { [label]: service })
  const { label } = grouping
  const inner =
    grouping.kind === 'label'
      ? of(selectorOf(sample, matchersOf({ ...named(label), ...where })))
      : `${of(selectorOf(sample, [`${label}!=""`, ...matchersOf({ ...named(label), ...where })]))} or ` +
        `label_replace(${of(selectorOf(sample, matchersOf({ [label]: '', ...named(grouping.fallback), ...where })))}, ` +
        `"${label}", "$1", "${grouping.fallback}", "(.+)")`
  return `sum by (${by.join(', ')}) (${inner})`
}

const matchersOf = (where: Labels): string[] =>
  Object.entries(where).map(([label, value]) => `${label}="${escapeValue(value)}"`)

/** A series selector; `name` must be a metric name. */
const selectorOf = (name: string, matchers: readonly string[]): string =>
  matchers.length === 0 ? name : `${name}{${matchers.join(',')}}`

/** Inside double quotes: backslash, quote and line breaks. */
export const escapeValue = (value: string): string =>
  value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)

function duration(ms: number): string {
  const whole = Math.max(1, Math.round(ms))
  if (whole % 60_000 === 0) return `${whole / 60_000}m`
  return whole % 1000 === 0 ? `${whole / 1000}s` : `${whole}ms`
}
