import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesAll, matchesEverything, parseMatcher, parseMatchers, spellMatcher } from './label-matchers.ts'

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

test('a list separates at commas, but not inside quotes', () => {
  const matchers = parseMatchers('{a="x,y", b=~"(1|2)"}')
  expect(matchers.map(spellMatcher)).toEqual(['a="x,y"', 'b=~"(1|2)"'])
  expect(matchesAll(matchers, { a: 'x,y', b: '2' })).toBe(true)
  expect(matchesAll(matchers, { a: 'x,y', b: '3' })).toBe(false)
})

test('what would match every alert is known as such', () => {
  expect(matchesEverything(parseMatchers('a=~".*"'))).toBe(true)
  expect(matchesEverything(parseMatchers('a=~".*", b="c"'))).toBe(false)
})

test.each(['', 'severity', '="x"', 'a="x', 'a=~"("', 'a b="c"'])('%j is refused', (text) => {
  expect(() => parseMatcher(text)).toThrow(SyntaxError)
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
