// Reads what a target exposes: the Prometheus text format, and of OpenMetrics what carries numbers (exemplars and
// units are skipped). Any input gives a value: garbage is `ok: false` with the line and the reason, as in Prometheus
// one bad line fails the whole scrape, because half a truth looks like a change.
import type { MetricType } from '../../core/telemetry.ts'
import { toMetricType } from '../metric-families.ts'
import type { Family, Sample } from '../sampling/sample.ts'

export type Exposition =
  | { readonly ok: true; readonly samples: readonly Sample[]; readonly families: readonly Family[] }
  | { readonly ok: false; readonly line: number; readonly reason: string }

export type ExpositionFormat = 'text' | 'openmetrics'

/** Which of the two a content type announces. */
export const formatOf = (contentType: string | null): ExpositionFormat =>
  contentType?.toLowerCase().startsWith('application/openmetrics-text') ? 'openmetrics' : 'text'

class Unreadable extends Error {}

/** Parses a whole body. Never throws. */
export function parseExposition(text: string, format: ExpositionFormat = 'text'): Exposition {
  const samples: Sample[] = []
  const families = new Map<string, { type: MetricType; help: string }>()
  let line = 0
  let ended = false
  try {
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf('\n', start)
      const end = newline === -1 ? text.length : newline
      const content = text.slice(start, end).trim()
      start = end + 1
      line++
      if (content === '') continue
      if (ended) throw new Unreadable('there is text after # EOF')
      if (content.startsWith('#')) ended = format === 'openmetrics' && content === '# EOF'
      if (content.startsWith('#')) readComment(content, families)
      else samples.push(readSample(content, format))
    }
    if (format === 'openmetrics' && !ended) throw new Unreadable('it does not end with # EOF: it was cut')
  } catch (error) {
    if (error instanceof Unreadable) return { ok: false, line, reason: error.message }
    throw error
  }
  return { ok: true, samples, families: [...families].map(([name, family]) => ({ name, ...family })) }
}

const COMMENT = /^#[ \t]+(HELP|TYPE)[ \t]+([A-Za-z_:][A-Za-z0-9_:]*)(?:[ \t]+(.*))?$/s

/** Takes HELP and TYPE; any other comment is a comment. */
function readComment(line: string, families: Map<string, { type: MetricType; help: string }>): void {
  const match = COMMENT.exec(line)
  if (!match) return
  const [, keyword, name = '', rest = ''] = match
  const family = families.get(name) ?? { type: 'unknown', help: '' }
  families.set(
    name,
    keyword === 'TYPE'
      ? { ...family, type: toMetricType(rest.trim().toLowerCase()) }
      : { ...family, help: unescape(rest, 1000) },
  )
}

const NAME = /[A-Za-z_:][A-Za-z0-9_:]*/y
const LABEL_START = /([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*"/y
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

function readSample(line: string, format: ExpositionFormat): Sample {
  NAME.lastIndex = 0
  const name = NAME.exec(line)?.[0]
  if (name === undefined) throw new Unreadable('a metric name was expected')
  let at = skipBlanks(line, name.length)
  const labels: [string, string][] = []
  if (line[at] === '{') at = readLabels(line, at + 1, labels)
  else if (at === name.length) throw new Unreadable('a blank or { was expected after the name')
  const rest = line.slice(at)
  const exemplar = format === 'openmetrics' ? rest.indexOf(' #') : -1
  const [value = '', timestamp, ...more] = (exemplar === -1 ? rest : rest.slice(0, exemplar)).trim().split(/[ \t]+/)
  if (more.length > 0) throw new Unreadable('there is text after the timestamp')
  const sample = { name, labels: tidy(labels), value: readNumber(value) }
  if (timestamp === undefined) return sample
  if (timestamp.length > 64 || !NUMBER.test(timestamp)) throw new Unreadable(`"${clip(timestamp)}" is not a timestamp`)
  return { ...sample, timestampMs: Number(timestamp) * (format === 'openmetrics' ? 1000 : 1) }
}

function readLabels(line: string, from: number, into: [string, string][]): number {
  let at = skipBlanks(line, from)
  while (line[at] !== '}') {
    LABEL_START.lastIndex = at
    const label = LABEL_START.exec(line)?.[1]
    if (label === undefined) throw new Unreadable('the labels cannot be read')
    const start = LABEL_START.lastIndex
    const end = closingQuote(line, start)
    into.push([label, unescape(line.slice(start, end))])
    at = skipBlanks(line, end + 1)
    if (line[at] === ',') at = skipBlanks(line, at + 1)
    else if (line[at] !== '}') throw new Unreadable('a comma or } was expected after a label')
  }
  return at + 1
}

function closingQuote(line: string, from: number): number {
  for (let at = from; at < line.length; at++) {
    if (line[at] === '\\') at++
    else if (line[at] === '"') return at
  }
  throw new Unreadable('a label value has no end')
}

function tidy(labels: [string, string][]): [string, string][] {
  labels.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  for (let i = 1; i < labels.length; i++) {
    if (labels[i]?.[0] === labels[i - 1]?.[0]) throw new Unreadable(`the label ${labels[i]?.[0]} stands twice`)
  }
  return labels.filter(([label, value]) => value !== '' && !label.startsWith('__'))
}

function readNumber(text: string): number {
  // The bound keeps the pattern from walking a megabyte of digits again and again.
  if (text.length <= 64 && NUMBER.test(text)) return Number(text)
  switch (text.toLowerCase()) {
    case 'nan':
    case '+nan':
    case '-nan':
      return Number.NaN
    case 'inf':
    case '+inf':
    case 'infinity':
    case '+infinity':
      return Number.POSITIVE_INFINITY
    case '-inf':
    case '-infinity':
      return Number.NEGATIVE_INFINITY
    default:
      throw new Unreadable(`"${clip(text)}" is not a number`)
  }
}

/** `\n`, `\"` and `\\`; any other backslash stays as it is. */
function unescape(text: string, limit = Number.POSITIVE_INFINITY): string {
  const whole = text.includes('\\')
    ? text.replaceAll(/\\([\\n"])/g, (_all, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    : text
  return whole.length > limit ? whole.slice(0, limit) : whole
}

function skipBlanks(line: string, from: number): number {
  let at = from
  while (line[at] === ' ' || line[at] === '\t') at++
  return at
}

const clip = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text)
