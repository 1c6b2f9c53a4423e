import fc from 'fast-check'
import { expect, it } from 'vitest'
import { chunk } from './chunk.ts'
import { sentenceStarts } from './chunk/sentences.ts'
import { estimateTokens } from './chunk/tokens.ts'
import type { ParsedDocument } from './document.ts'
import { parseMarkdown } from './parse/markdown.ts'

const documentOf = (source: string): ParsedDocument => ({ ...parseMarkdown(source), title: 't', metadata: {} })

const line = fc.oneof(
  fc.constantFrom(
    '# One',
    '## Two',
    '### Three',
    '',
    '',
    '- item',
    '```',
    '| a | b |',
    '|---|---|',
    '> quote',
    '***',
    '1. step',
  ),
  fc.lorem({ maxCount: 30 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom('a', '7', '語', '😀', '.'), minLength: 50, maxLength: 400 }),
)
const markdown = fc.array(line, { maxLength: 60 }).map((lines) => lines.join('\n'))

it('every character of content is in a passage; passages are exact, in order, and no larger than allowed', () => {
  fc.assert(
    fc.property(
      markdown,
      fc.integer({ min: 16, max: 120 }),
      fc.integer({ min: 0, max: 2 }),
      (source, tokens, overlapSentences) => {
        const document = documentOf(source)
        const passages = chunk(document, { tokens, overlapSentences })
        const covered = new Uint8Array(document.text.length)
        for (const [i, { start, end, text, ordinal }] of passages.entries()) {
          expect(ordinal).toBe(i)
          expect(text).toBe(document.text.slice(start, end))
          expect(text.trim()).not.toBe('')
          expect(estimateTokens(text)).toBeLessThanOrEqual(tokens)
          expect(start).toBeGreaterThan(passages[i - 1]?.start ?? -1)
          expect(end).toBeGreaterThan(passages[i - 1]?.end ?? -1)
          covered.fill(1, start, end)
        }
        for (const { start, end } of document.blocks)
          for (let at = start; at < end; at++) if (!covered[at]) expect(document.text.slice(at, at + 1).trim()).toBe('')
      },
    ),
    { numRuns: 300 },
  )
})

it('a passage stays under its heading, whose path it carries; tiny siblings share one', () => {
  const long = 'The volume is nearly full and has to grow. '.repeat(17)
  const short = 'Told elsewhere, by the owners of the storage.'
  const passages = chunk(
    documentOf(
      `# Disk\n\n## Meaning\n\n${long}\n\n## Impact\n\n${long}\n\n## See\n\n${short}\n\n## Also\n\n${short}\n`,
    ),
  )
  expect(passages.map(({ headings }) => headings)).toEqual([['Disk', 'Meaning'], ['Disk', 'Impact'], ['Disk']])
  expect(passages[2]?.text).toBe(`## See\n\n${short}\n\n## Also\n\n${short}`)
})

it('a passage repeats the last sentence of the one before', () => {
  const text = Array.from({ length: 40 }, (_, i) => `Sentence number ${i} tells of the disk.`).join(' ')
  const [first, second] = chunk(documentOf(text))
  expect(second?.start).toBeLessThan(first?.end ?? 0)
  expect(second?.text.startsWith(first?.text.slice((second?.start ?? 0) - first.start) ?? '-')).toBe(true)
})

it('abbreviations, names with dots and numbered steps do not end a sentence', () => {
  const text = '1. See e.g. foo.bar v1.2 of Dr. Who. Then call J. Smith! "Really?" Yes… 全部。次'
  const starts = sentenceStarts(text, 0, text.length)
  expect(starts.map((start, i) => text.slice(start, starts[i + 1]).trim())).toEqual([
    '1. See e.g. foo.bar v1.2 of Dr. Who.',
    'Then call J. Smith!',
    '"Really?"',
    'Yes…',
    '全部。',
    '次',
  ])
})

it('a table of very many columns is not stored once more with each of its rows', () => {
  const names = Array.from({ length: 5_000 }, (_, i) => `column ${i}`)
  const row = Array.from({ length: 5_000 }, (_, i) => `cell ${i}`).join(' | ')
  const text = `${names.join(' | ')}\n${row}\n${row}`
  const blocks = [{ kind: 'table' as const, columns: names, start: 0, end: text.length }]
  const passages = chunk({ title: 'T', text, blocks, metadata: {} })
  expect(passages.length).toBeGreaterThan(10)
  const headings = passages.map((passage) => passage.headings.join(''))
  expect(Math.max(...headings.map(({ length }) => length))).toBeLessThan(500)
  expect(headings.at(-1)).toContain('Columns: column 0 | column 1')
})
