import fc from 'fast-check'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { describe, expect, test } from 'vitest'
import { everyIncident } from '../../../web/testing/fixtures.ts'
import type { IncidentView } from '../view.ts'
import { writePostmortem } from './postmortem.ts'

const HEADINGS = [
  'Summary',
  'Impact',
  'Timeline',
  'Cause',
  'What was done',
  'How it was verified',
  'What went well',
  'What is open',
  'Follow-ups',
]

const find = (has: (view: IncidentView) => boolean): IncidentView => {
  const found = everyIncident().find(has)
  if (!found) throw new Error('no fixture is like that')
  return found
}

const section = (markdown: string, heading: string): string =>
  markdown.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0]?.trim() ?? ''

function nodes(node: Nodes): Nodes[] {
  return [node, ...('children' in node ? node.children.flatMap((child) => nodes(child as Nodes)) : [])]
}

describe('a post-mortem', () => {
  test('has every part in every state an incident can be in, and never says what is not known', () => {
    for (const view of everyIncident()) {
      const markdown = writePostmortem(view)
      expect(markdown.match(/^## .*$/gm)).toEqual(HEADINGS.map((heading) => `## ${heading}`))
      expect(markdown).not.toMatch(/undefined|NaN|null|\[object/)
      for (const heading of HEADINGS) expect(section(markdown, heading), heading).not.toBe('')
    }
  })

  test('names the cause with every piece of evidence and where it can be checked', () => {
    const view = find(({ report, closedAt }) => closedAt !== null && report?.abstained === false)
    const said = section(writePostmortem(view), 'Cause')
    for (const { id, ref } of view.report?.causes[0]?.evidence ?? []) {
      expect(said).toContain(`**${id}**`)
      if (ref.kind === 'series') expect(said).toContain(ref.query)
      if (ref.kind === 'log') expect(said).toContain(ref.lines[0]?.ref)
      if (ref.kind === 'change') expect(said).toContain(ref.id)
    }
  })

  test('tells who decided, what became of it and how it was verified', () => {
    const view = find(({ outcome, approval }) => outcome === 'fixed' && approval?.run?.state === 'done')
    const markdown = writePostmortem(view)
    const done = section(markdown, 'What was done')
    expect(done).toContain(view.approval?.action.title)
    expect(done).toContain(`by \`${view.approval?.decidedBy}\``)
    expect(done).toContain('Carried out: done')
    expect(done).toContain('What people did by themselves: unknown.')
  })

  test('says unknown where the diagnosis abstained, and asks for what would settle it', () => {
    const view = find(({ report }) => report?.abstained === true)
    const markdown = writePostmortem({ ...view, report: view.report && { ...view.report, causes: [] } })
    expect(section(markdown, 'Cause')).toMatch(/^Unknown\./)
    expect(section(markdown, 'What is open')).toContain('The cause is not known.')
    expect(section(markdown, 'Follow-ups')).toContain('Find out: ')
  })

  test('calls a diagnosis right or wrong only when a person did', () => {
    const view = find(({ report, closedAt }) => closedAt !== null && report?.abstained === false)
    const said = (feedback: IncidentView['feedback']) => section(writePostmortem({ ...view, feedback }), 'Cause')
    expect(said(null)).toContain('nobody confirmed it')
    const words = { by: 'Ada', at: 1, service: 'payment', kind: 'bad_config' }
    expect(said({ ...words, verdict: 'wrong' })).toMatch(/marked wrong[^]*bad config at payment/)
    expect(said({ ...words, service: null, kind: null, verdict: 'right' })).toContain('; confirmed')
  })

  test('times are UTC and the timeline is in order', () => {
    const view = find(({ report, closedAt }) => closedAt !== null && report?.abstained === false)
    const times = section(writePostmortem(view), 'Timeline')
      .split('\n')
      .slice(2)
      .map((row) => row.match(/^\| (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC \|/)?.[1])
    expect(times.length).toBeGreaterThan(view.timeline.length)
    expect(times).not.toContain(undefined)
    expect(times).toEqual(times.toSorted((a = '', b = '') => a.localeCompare(b)))
  })

  test('no text of an alert, a log, a change or a person becomes a heading, a link, an image or HTML', () => {
    const pieces = [
      '\n# h\n',
      '[a](http://b)',
      '![i](http://b)',
      '<b>',
      '`',
      '``',
      '|',
      '\n\n',
      'https://b.c',
      '\\',
      '&lt;',
      '1. ',
      '- ',
      '***',
      '\r\n---\r\n',
    ]
    const hostile = fc
      .array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 12 })
      .map((all) => all.join(''))
    const view = find(({ report, outcome }) => outcome === 'fixed' && report !== null)
    const count = nodes(fromMarkdown(writePostmortem(view))).filter(({ type }) => type === 'heading').length
    fc.assert(
      fc.property(hostile, (text) => {
        const poisoned: unknown = JSON.parse(JSON.stringify(view), (key, value: unknown) =>
          [
            'title',
            'sentence',
            'text',
            'message',
            'summary',
            'template',
            'claim',
            'service',
            'reason',
            'decidedBy',
            'severity',
            'query',
            'effect',
            'name',
            'author',
            'undo',
          ].includes(key) && typeof value === 'string'
            ? text
            : value,
        )
        const all = nodes(fromMarkdown(writePostmortem(poisoned as IncidentView)))
        expect(
          all.filter(({ type }) => ['link', 'image', 'html', 'definition', 'linkReference'].includes(type)),
        ).toEqual([])
        expect(all.filter(({ type }) => type === 'heading')).toHaveLength(count)
      }),
      { numRuns: 25 },
    )
  })
})
