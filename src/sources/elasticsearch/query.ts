// What is asked of Elasticsearch or OpenSearch for a window of log lines: a search that both understand, with filters that hold
// whether a field was mapped as a keyword or as text with a keyword beneath it.
import type { LogLevel } from '../../core/telemetry.ts'
import { isAtLeast } from '../../core/log-level.ts'
import { LEVEL_WORDS } from '../log-level.ts'
import type { LogFields } from '../log-line.ts'

export interface Wanted {
  readonly fields: LogFields
  readonly timeField: string
  readonly fromMs: number
  readonly toMs: number
  readonly services?: readonly string[] | undefined
  readonly minLevel?: LogLevel | undefined
  readonly size: number
}

export function searchBody({ fields, timeField, fromMs, toMs, services, minLevel, size }: Wanted) {
  const filter: object[] = [{ range: { [timeField]: { gte: fromMs, lte: toMs, format: 'epoch_millis' } } }]
  if (services) filter.push(anyOf(fields.service.map((field) => is(field, services))))
  if (minLevel) filter.push(atLeast(fields.level, minLevel))
  return { ...common(timeField), size, query: { bool: { filter } } }
}

/** One document, where it is in what may be searched. */
export function documentBody(timeField: string, index: string, id: string) {
  return {
    ...common(timeField),
    size: 1,
    query: { bool: { filter: [{ ids: { values: [id] } }, { term: { _index: index } }] } },
  }
}

const common = (timeField: string) => ({
  track_total_hits: false,
  // In ms, also where the field is kept in nanoseconds.
  sort: [{ [timeField]: { order: 'desc', unmapped_type: 'date', numeric_type: 'date' } }],
})

const anyOf = (should: readonly object[]) => ({ bool: { should, minimum_should_match: 1 } })

const is = (field: string, values: readonly string[]) =>
  anyOf([{ terms: { [field]: values } }, { terms: { [`${field}.keyword`]: values } }])

/** Lines below the level are left out where a field says so by a word; what says nothing is looked at when it is here. */
function atLeast(fields: readonly string[], least: LogLevel) {
  const below = Object.entries(LEVEL_WORDS)
    .filter(([level]) => !isAtLeast(level as LogLevel, least))
    .flatMap(([, words]) => words)
    .flatMap((word) => [word, word.toUpperCase(), word.charAt(0).toUpperCase() + word.slice(1)])
  return { bool: { must_not: fields.map((field) => ({ terms: { [field]: below } })) } }
}
