import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeMatcher, matchesEverything, parseMatcher, spellMatcher } from './label-matchers.ts'

test.each([
  ['severity="critical"', { severity: 'critical' }, true],
  ['severity=critical', { severity: 'critical' }, true],
  ['severity != "critical"', { severity: 'critical' }, false],
  ['team!="web"', {}, true],
  ['team=""', {}, true],
  ['pod=~"web-.*"', { pod: 'web-1' }, true],
  ['pod=~"web-.*"', { pod: 'my-web-1' }, false],
  ['pod=~"web"', { pod: 'web-1' }, false],
  ['env!~"dev|test"', { env: 'development' }, true],
  ['env!~"dev|test"', { env: 'test' }, false],
  ['code=~"5\\d\\d"', { code: '503' }, true],
  ['constructor=~".+"', {}, false],
  ['a.b="c"', { 'a.b': 'c' }, true],
])('%s on %o: %s', (text, labels, expected) => {
  expect(parseMatcher(text).matches(labels)).toBe(expected)
})

test('what would match every alert is known as such', () => {
  expect(matchesEverything([parseMatcher('a=~".*"')])).toBe(true)
  expect(matchesEverything([parseMatcher('a=~".*"'), parseMatcher('b="c"')])).toBe(false)
})

test.each(['', 'severity', '="x"', 'a="x', 'a=~"("', 'a b="c"'])('%j is refused', (text) => {
  expect(() => parseMatcher(text)).toThrow(SyntaxError)
})

test('whatever the label, a matcher that can be made is the same when it is spelled and parsed again', () => {
  const label = fc.string({ unit: fc.constantFrom('a', 'é', '_', '.', '1', ' ', '=', '!', '~', '"', '{', '\n') })
  fc.assert(
    fc.property(label, (given) => {
      let made
      try {
        made = makeMatcher(given, '=', 'x')
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError)
        return
      }
      expect(parseMatcher(spellMatcher(made))).toMatchObject({ label: given, operator: '=', value: 'x' })
    }),
    { numRuns: 1000 },
  )
  for (const refused of ['', 'a b', 'a!', '1a', 'a=']) expect(() => makeMatcher(refused, '=', 'x')).toThrow(SyntaxError)
})

test('whatever the value, a matcher that is spelled and parsed again is the same', () => {
  const operator = fc.constantFrom('=' as const, '!=' as const)
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), operator, (value, by) => {
      const text = spellMatcher({ label: 'l', operator: by, value })
      expect(parseMatcher(text)).toMatchObject({ label: 'l', operator: by, value })
      expect(parseMatcher(text).matches({ l: value })).toBe(by === '=')
    }),
  )
})
