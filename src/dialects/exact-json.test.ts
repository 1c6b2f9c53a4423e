import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseExact, toolInputOf } from './exact-json.ts'

test('whole numbers of any length are written again as they were read', () => {
  const json = '{"id":12345678901234567890,"of":[-9007199254740993,{"n":9007199254740991}],"s":"12345678901234567890"}'
  expect(JSON.stringify(parseExact(json))).toBe(json)
})

test('all else is read as it always was', () => {
  fc.assert(
    fc.property(fc.json(), fc.bigInt({ min: 10n ** 15n, max: 2n ** 53n - 1n }), (json, n) => {
      const written = `[${json},${n}]`
      expect(JSON.stringify(parseExact(written))).toBe(JSON.stringify(JSON.parse(written)))
    }),
  )
  expect(() => parseExact('{"id":12345678901234567890')).toThrow(SyntaxError)
})

test('what is nested too deep to be looked through is read all the same', () => {
  const deep = `${'['.repeat(100_000)}12345678901234567890${']'.repeat(100_000)}`
  expect(Array.isArray(parseExact(deep))).toBe(true)
})

test.each([
  ['', '{}'],
  ['{"a":12345678901234567890}', '{"a":12345678901234567890}'],
  ['12345678901234567890', '{"arguments":12345678901234567890}'],
  ['[1]', '{"arguments":[1]}'],
  ['null', '{"arguments":null}'],
  ['{"a":', '{"arguments":"{\\"a\\":"}'],
])('the arguments %j are the object %s', (json, input) => {
  expect(JSON.stringify(toolInputOf(json))).toBe(input)
})
