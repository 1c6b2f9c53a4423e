import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainMarkdown } from './plain-markdown.ts'

test('marks go, words, commands, lists and rows stay, and a paragraph is one line', () => {
  const source = [
    '## Diagnosis',
    '',
    'Look at the **logs** of the pod that',
    'died, *first of all*:',
    '',
    '```shell',
    'kubectl logs --previous $POD',
    '```',
    '',
    '- one `**as is**`',
    '- two',
    '',
    '| step | share |',
    '| --- | ---: |',
    '| canary | 5 % |',
  ].join('\n')
  expect(plainMarkdown(source)).toBe(
    [
      'Diagnosis',
      'Look at the logs of the pod that died, first of all:',
      'kubectl logs --previous $POD',
      '- one `**as is**`',
      '- two',
      'step | share',
      'canary | 5 %',
    ].join('\n'),
  )
})

test('no letter or digit is lost or made, whatever the text', () => {
  const letters = (text: string) => text.replaceAll(/[^\p{L}\p{N}]/gu, '')
  const piece = fc.constantFrom('**', '*', '_', '`', '```', '\n', '# ', '| ', '- ', 'word', ' ', '2', '\\', '---')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      // What is written behind an opening fence names its language.
      fc.pre(!/^\s*(?:```|~~~)/m.test(text))
      expect(letters(plainMarkdown(text))).toBe(letters(text))
    }),
  )
})
