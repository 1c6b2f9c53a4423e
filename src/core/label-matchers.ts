// Matchers of labels as Alertmanager's users write them: `severity="critical"`, `team!="web"`, `pod=~"web-.*"`, `env!~"dev|test"`.
// A label that is absent counts as empty, and a pattern has to match the whole value, as there.
// https://prometheus.io/docs/alerting/latest/configuration/#matcher
import { z } from 'zod'
import { compileLinear } from './linear-regex.ts'
import type { Labels } from './telemetry.ts'

export type MatchOperator = '=' | '!=' | '=~' | '!~'

export interface Matcher {
  readonly label: string
  readonly operator: MatchOperator
  readonly value: string
  readonly matches: (labels: Labels) => boolean
}

/** Longer values are matched by their beginning: what is bounded stays bounded. */
const MAX_VALUE = 2000
/** What is no such name would be read as another matcher once it is written out: `a!` and `=` as `a` and `!=`. */
const LABEL = /[\p{L}_][^\s=!~"{}]{0,299}/u
const WRITTEN = new RegExp(`^\\s*(?<label>${LABEL.source})\\s*(?<operator>=~|!~|!=|=)\\s*(?<value>.*?)\\s*$`, 'su')
const WHOLE_LABEL = new RegExp(`^${LABEL.source}$`, 'u')

/** One matcher. Throws SyntaxError that says what is wrong. */
export function parseMatcher(text: string): Matcher {
  const { label, operator, value } = WRITTEN.exec(text)?.groups ?? {}
  if (label === undefined || operator === undefined || value === undefined)
    throw new SyntaxError(`${text.slice(0, 100)} is no matcher; write label="value", or !=, =~, !~ for the =`)
  return makeMatcher(label, operator as MatchOperator, unquote(value))
}

/** Throws SyntaxError that says what is wrong. */
export function makeMatcher(label: string, operator: MatchOperator, value: string): Matcher {
  if (!WHOLE_LABEL.test(label)) throw new SyntaxError(`${label.slice(0, 100)} is no name of a label`)
  const wanted = operator === '=~' || operator === '!~' ? compile(label, value) : (given: string) => given === value
  const positive = operator === '=' || operator === '=~'
  return { label, operator, value, matches: (labels) => wanted(labelOf(labels, label)) === positive }
}

export const matchesAll = (matchers: readonly Matcher[], labels: Labels): boolean =>
  matchers.every((matcher) => matcher.matches(labels))

/** As it is written: `pod=~"web-.*"`. Parsing it again gives the same matcher. */
export const spellMatcher = ({ label, operator, value }: Pick<Matcher, 'label' | 'operator' | 'value'>): string =>
  `${label}${operator}${JSON.stringify(value)}`

/** Whether alerts without any labels would match: such a list says nothing about what is meant. */
export const matchesEverything = (matchers: readonly Matcher[]): boolean => matchesAll(matchers, {})

/** Absent is empty. Labels come from strangers: one called `constructor` must not be found on the prototype. */
export const labelOf = (labels: Labels, name: string): string =>
  Object.hasOwn(labels, name) ? (labels[name] ?? '').slice(0, MAX_VALUE) : ''

function compile(label: string, pattern: string): (text: string) => boolean {
  try {
    return compileLinear(pattern)
  } catch (error) {
    throw new SyntaxError(`The pattern of ${label} ${(error as Error).message}`, { cause: error })
  }
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value
  try {
    const text: unknown = JSON.parse(value)
    if (typeof text === 'string') return text
  } catch {
    // Patterns are often written with backslashes that JSON does not know: `"\d+"` is meant as it stands.
    if (/^"(?:[^"\\]|\\.)*"$/s.test(value)) return value.slice(1, -1).replaceAll('\\"', '"')
  }
  throw new SyntaxError(`${value.slice(0, 100)} has a quote that does not end`)
}

/** A matcher in a config or a request, kept as it is written. */
export const matcherText = z
  .string()
  .max(2000)
  .transform((text, context) => {
    try {
      return spellMatcher(parseMatcher(text))
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
      return z.NEVER
    }
  })
