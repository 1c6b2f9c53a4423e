import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clip, context, escape, link, sections, withinLimit } from './mrkdwn.ts'

const hostile = fc
  .array(fc.constantFrom('<', '>', '&', '|', '!channel', '@U1', '\n', 'x', '😀', '&amp;', 'é'.repeat(900)), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''))

test('outside text is one line that opens no link and no call', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(escape(text)).not.toMatch(/[<>\n]|&(?!amp;|lt;|gt;)/)
    }),
  )
})

test('what is clipped is within its limit, and cut neither in a character nor in an escape', () => {
  fc.assert(
    fc.property(hostile, fc.integer({ min: 1, max: 4000 }), (text, max) => {
      const clipped = clip(escape(text), max)
      expect(clipped.length).toBeLessThanOrEqual(max)
      expect(clipped.isWellFormed()).toBe(true)
      expect(clipped).not.toMatch(/&(?!amp;|lt;|gt;)/)
    }),
  )
})

test('no section is empty or over 3,000, no message over 50 blocks, and the last ones stay', () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 120 }), (lines) => {
      const last = context('the link')
      const blocks = withinLimit([...sections(lines.map(escape)), last], 1)
      expect(blocks.length).toBeLessThanOrEqual(50)
      expect(blocks.at(-1)).toEqual(last)
      for (const block of blocks)
        if (block.type === 'section')
          expect([0 < block.text.text.length, block.text.text.length <= 3000]).toEqual([true, true])
    }),
    { numRuns: 30 },
  )
})

test('an address cannot end its link', () => {
  expect(link('http://x/?a=1&b=<y|z>', 'a > b')).toBe('<http://x/?a=1&amp;b=%3Cy%7Cz%3E|a &gt; b>')
})
