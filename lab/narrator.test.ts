import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createNarrator, wrap } from './narrator.ts'

function onStage(stage: { rewrites: boolean; colours: boolean }) {
  const written: string[] = []
  return { narrator: createNarrator({ write: (text) => written.push(text), ...stage }), text: () => written.join('') }
}

const LONG =
  'Checkout fails for 31 % of requests because the connection pool of inventory is full since 03:12:40, eleven seconds after deploy 8f2c1 of inventory.'

describe('the narrator', () => {
  test('never writes more than 80 columns', () => {
    const { narrator, text } = onStage({ rewrites: false, colours: false })
    narrator.say(LONG)
    narrator.item(LONG)
    narrator.pair('Expected', LONG)
    narrator.event(0, LONG)
    expect(
      Math.max(
        ...text()
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(80)
  })

  test('writes no escape sequence where there are no colours and no line to rewrite', () => {
    const { narrator, text } = onStage({ rewrites: false, colours: false })
    narrator.say('plain', 'bad')
    narrator.status('12 s to go')
    narrator.pair('Risk', '3 of 10')
    expect(text()).toBe('  plain\n  Risk        3 of 10\n')
  })

  test('clears the changing line before anything else is written', () => {
    const { narrator, text } = onStage({ rewrites: true, colours: false })
    narrator.status('12 s to go')
    narrator.say('It broke.')
    expect(text()).toBe('  12 s to go\r\u001B[2K  It broke.\n')
  })

  test('colours a line without making it longer than it looks', () => {
    const plain = onStage({ rewrites: false, colours: false })
    const coloured = onStage({ rewrites: true, colours: true })
    for (const { narrator } of [plain, coloured]) narrator.say(LONG, 'good')
    expect(coloured.text()).toContain('\u001B[32m')
    expect(stripVTControlCharacters(coloured.text())).toBe(plain.text())
  })
})

test('wrapping keeps every word in order and breaks only where it must', () => {
  const word = fc.stringMatching(/^[a-z]{1,30}$/)
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 5, max: 40 }), (words, width) => {
      const lines = wrap(words.join(' '), width)
      expect(lines.join(' ').split(' ')).toEqual(words)
      for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true)
    }),
  )
})
