import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Sample } from '../sampling/sample.ts'
import { type Exposition, formatOf, parseExposition } from './exposition.ts'

function samplesOf(read: Exposition): readonly Sample[] {
  if (!read.ok) throw new Error(`line ${read.line}: ${read.reason}`)
  return read.samples
}

describe('the text format', () => {
  test('names, labels, values and timestamps are read', () => {
    const text = [
      '# HELP http_requests_total The \\\\ total\\nof requests.',
      '# TYPE http_requests_total counter',
      '# a comment',
      '',
      'http_requests_total{method="post",code="200"} 1027 1395066363000',
      'http_requests_total { method = "get" , code="400" , }\t3  ',
      'msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find\\n\\"FILE.TXT\\""} 1.458255915e9',
      'metric_without_timestamp_and_labels 12.47\r',
      'something_weird{problem="division by zero"} +Inf -3982045',
      'x -Inf',
      'y nan',
      'z .5e-3',
    ].join('\n')
    const read = parseExposition(text)
    expect(read.ok && read.families).toEqual([
      { name: 'http_requests_total', type: 'counter', help: 'The \\ total\nof requests.' },
    ])
    expect(samplesOf(read)).toEqual([
      {
        name: 'http_requests_total',
        labels: [
          ['code', '200'],
          ['method', 'post'],
        ],
        value: 1027,
        timestampMs: 1395066363000,
      },
      {
        name: 'http_requests_total',
        labels: [
          ['code', '400'],
          ['method', 'get'],
        ],
        value: 3,
      },
      {
        name: 'msdos_file_access_time_seconds',
        labels: [
          ['error', 'Cannot find\n"FILE.TXT"'],
          ['path', 'C:\\DIR\\FILE.TXT'],
        ],
        value: 1.458255915e9,
      },
      { name: 'metric_without_timestamp_and_labels', labels: [], value: 12.47 },
      { name: 'something_weird', labels: [['problem', 'division by zero']], value: Infinity, timestampMs: -3982045 },
      { name: 'x', labels: [], value: -Infinity },
      { name: 'y', labels: [], value: NaN },
      { name: 'z', labels: [], value: 0.0005 },
    ])
  })

  test('empty values and labels with two underscores are no labels', () => {
    expect(samplesOf(parseExposition('a{b="",__c="1",__proto__="2",d="3"} 1'))[0]?.labels).toEqual([['d', '3']])
  })

  test.each([
    ['a', 'a value'],
    ['a{b="c} 1', 'an end of the label'],
    ['a{b="c"', 'a brace'],
    ['a{b="c" d="e"} 1', 'a comma'],
    ['a{b=c} 1', 'quotes'],
    ['a{b="1",b="2"} 1', 'one value a label'],
    ['a 1 2 3', 'nothing after the timestamp'],
    ['a 1x', 'a number'],
    ['a 0x10', 'a decimal number'],
    ['a 1 soon', 'a timestamp'],
    ['1a 1', 'a name'],
    ['{a="b"} 1', 'a name'],
    ['<html>', 'anything at all'],
  ])('%j lacks %s and fails the whole body with its line', (line) => {
    expect(parseExposition(`fine 1\n${line}\nfine 2\n`)).toMatchObject({ ok: false, line: 2 })
  })

  test('a megabyte of anything is read in no time', () => {
    const many = 1_000_000
    const bodies = [
      `a ${'1'.repeat(many)}x`,
      `a{b="${'\\'.repeat(many)}`,
      `#${' '.repeat(many)}\u2028`,
      `# HELP${' '.repeat(many)}a\u2028`,
      `a{${'b="",'.repeat(many / 5)}`,
      `a${' '.repeat(many)}x`,
    ]
    const began = performance.now()
    for (const body of bodies) parseExposition(body)
    expect(performance.now() - began).toBeLessThan(2000)
  })
})

describe('OpenMetrics', () => {
  test('timestamps are seconds, exemplars and units are skipped, the end is marked', () => {
    const text = '# TYPE a counter\n# UNIT a s\na_total 1 1.5 # {trace="x"} 0.3 1.2\n# EOF\n'
    const read = parseExposition(text, formatOf('application/openmetrics-text; version=1.0.0'))
    expect(samplesOf(read)).toEqual([{ name: 'a_total', labels: [], value: 1, timestampMs: 1500 }])
    expect(parseExposition('a 1\n', 'openmetrics')).toMatchObject({ ok: false })
    expect(parseExposition('a 1\n# EOF\nb 2\n', 'openmetrics')).toMatchObject({ ok: false, line: 3 })
  })
})

describe('any input', () => {
  test('gives a value and never throws', () => {
    const alphabet = fc.constantFrom(
      ...'a{}="\\,# \t\n1.eE+-_:NIinfa\r\u2028é'.split(''),
      '# TYPE ',
      '# EOF\n',
      '} 1\n',
    )
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 60 }), fc.constantFrom('text', 'openmetrics'), (parts, format) => {
        expect(typeof parseExposition(parts.join(''), format).ok).toBe('boolean')
      }),
      { numRuns: 2000 },
    )
  })

  test('what is written by the rules is read as it was', () => {
    const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/)
    const label = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,5}$/)
    const value = fc.oneof(fc.double({ noNaN: true }), fc.constant(Infinity), fc.constant(-Infinity))
    const labels = fc.dictionary(label, fc.string({ minLength: 1, unit: 'grapheme' }), { maxKeys: 4 })
    const sample = fc.record({ name, labels, value, timestampMs: fc.option(fc.integer()) })
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 8 }), (written) => {
        const text = written.map((each) => `${print(each)}\n`).join('')
        const expected = written.map(({ name, labels, value, timestampMs }) => ({
          name,
          labels: Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)),
          value: value === 0 ? 0 : value,
          ...(timestampMs === null ? {} : { timestampMs: timestampMs === 0 ? 0 : timestampMs }),
        }))
        expect(
          samplesOf(parseExposition(text)).map((each) => ({ ...each, value: each.value === 0 ? 0 : each.value })),
        ).toEqual(expected)
      }),
    )
  })
})

function print(sample: {
  name: string
  labels: Record<string, string>
  value: number
  timestampMs: number | null
}): string {
  const escape = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  const pairs = Object.entries(sample.labels).map(([label, value]) => `${label}="${escape(value)}"`)
  const number = Number.isFinite(sample.value) ? String(sample.value) : sample.value > 0 ? '+Inf' : '-Inf'
  return `${sample.name}{${pairs.join(',')}} ${number}${sample.timestampMs === null ? '' : ` ${sample.timestampMs}`}`
}
