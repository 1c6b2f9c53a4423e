import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileLinear } from './linear-regex.ts'

test('it says the same as the engine of the language, anchored at both ends', () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    '\\d',
    '(?:ab|b)',
    '(a|)',
    '1',
    '\\.',
    '[a-c]',
    '[\\.-a]',
    '[!-\\.]',
    '[\\d-]',
  )
  const anchor = fc.constantFrom('^', '$', '(?:^|a)', '(b$)?', '(^a)')
  const repeat = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}', '{0,}', '*?')
  const sequence = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.tuple(atom, repeat).map((pair) => pair.join('')) },
      { weight: 1, arbitrary: anchor },
    ),
    { maxLength: 4 },
  )
  const pattern = fc
    .array(sequence, { minLength: 1, maxLength: 3 })
    .map((choices) => choices.map((parts) => parts.join('')).join('|'))
  const text = fc.array(fc.constantFrom('a', 'b', 'c', '1', '.', '\n'), { maxLength: 7 }).map((all) => all.join(''))
  fc.assert(
    fc.property(pattern, text, (given, word) => {
      expect(compileLinear(given)(word)).toBe(new RegExp(`^(?:${given})$`, 'u').test(word))
    }),
    { numRuns: 3000 },
  )
})

test('what takes others exponential or cubic time is bounded work here', () => {
  const text = `${'a'.repeat(5000)}!`
  for (const pattern of ['(a+)+', '(a|a)*', '(.*)(.*)(.*)(.*)x', '(a*)*b', '(?:a?){100}a{100}'])
    expect(compileLinear(pattern)(text)).toBe(false)
})

test('case is ignored where (?i) says so, and only there', () => {
  expect(compileLinear('(?i)web-[A-F]+')('WEB-abc')).toBe(true)
  expect(compileLinear('web')('WEB')).toBe(false)
})

test.each([
  ['(foo$)?bar', 'bar', true],
  ['(foo$)?bar', 'foobar', false],
  ['a$$', 'a', true],
  ['a$$', 'a$', false],
  ['a(^b)', 'ab', false],
  ['(^a|b$)', 'b', true],
  ['^(?:web|db)$', 'db', true],
  ['\\$', '$', true],
  ['[\\.-z]', 'm', true],
  ['[\\.-z]', '-', false],
  ['[+-\\-]', ',', true],
  ['[\\d-z]', '-', true],
  ['[\\d-z]', 'm', false],
  ['[a-z:[]', ':', true],
  ['[\uFFFD-\u{1F600}]', '\uFFFE', true],
])('%s on %j: %s, as in RE2', (pattern, text, expected) => {
  expect(compileLinear(pattern)(text)).toBe(expected)
})

test.each([
  ['(', 'without a )'],
  ['a)', 'without a ('],
  ['[a', 'without a ]'],
  ['*a', 'nothing to repeat'],
  ['a{3,2}', 'must not be above'],
  ['a{9999}', 'above 200'],
  ['(?=a)', 'not known'],
  ['\\1', 'not known'],
  ['a**', 'in ( )'],
  [`${'(?:a{200})'.repeat(1)}{200}`, 'too large'],
  ['a'.repeat(1001), 'longer than'],
  ['('.repeat(60), 'nested'],
  ['a\\', 'ends in'],
  ['[[:digit:]]+', 'has a [: inside of [ ]'],
  ['[z-\\.]', 'has the range z-.'],
  ['[a-\\d]', 'has the range a-\\d'],
])('%s is refused and told why', (pattern, why) => {
  expect(() => compileLinear(pattern)).toThrow(why)
})
