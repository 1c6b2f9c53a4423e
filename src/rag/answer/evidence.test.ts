import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readEvidence } from './evidence.ts'

const readable = (text: string): string =>
  readEvidence({
    collection: 'c',
    document: 'd',
    title: 't',
    source: null,
    headings: [],
    text,
    start: 0,
    end: text.length,
    page: null,
    score: 1,
    metadata: {},
  }).readable

/** The same said shortly, which takes the cube of the length. */
const HIDDEN =
  /<(\w+)\b[^>]*(?:\bhidden\b|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d]*[1-9]))[^>]*>[^]*?(?:<\/\1\s*>|$)/gi

test('what an element hides is blank to its end and nothing else is, with every offset as it was', () => {
  const piece = fc.constantFrom(
    '<b hidden>',
    '<B style="display : none">',
    '<i style="opacity:0">',
    '<i style="opacity:0.5">',
    '<b>',
    '</b>',
    '</B >',
    '</i>',
    'seen ',
    'x < y ',
    '>',
    '<',
    '\n',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      expect(readable(text)).toBe(text.replaceAll(HIDDEN, (hidden) => hidden.replaceAll(/[^\n]/g, ' ')))
    }),
  )
})

test('a passage of tags without an end is read all the same', () => {
  for (const tag of ['<a hidden', '<b hidden>x', '<a ', '<!--', '</b ']) {
    const text = `Seen.\n\n${tag.repeat(200_000)}`
    expect(readable(text)).toHaveLength(text.length)
  }
})

test('a passage of signs that begin no tag is read all the same, with the end of one behind them', () => {
  const text = `${'< '.repeat(700_000)}>`
  expect(readable(text)).toHaveLength(text.length)
})
