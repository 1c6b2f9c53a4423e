import { expect, test } from 'vitest'
import { fillTemplate, placeholdersOf } from './template.ts'

test('every name is filled, and encoded when asked', () => {
  expect(fillTemplate('/x/{service}?to={to}', { service: 'a/b', to: '1&2' }, encodeURIComponent)).toBe(
    '/x/a%2Fb?to=1%262',
  )
})

test('a value that looks like a name is not filled again', () => {
  expect(fillTemplate('{a}', { a: '{b}', b: 'secret' })).toBe('{b}')
})

test('a name without a value is an error, also when objects have it by nature', () => {
  expect(() => fillTemplate('{servce}', { service: 'a' })).toThrow('{servce}')
  expect(() => fillTemplate('{constructor}', {})).toThrow('{constructor}')
})

test('the names of a text are told once each', () => {
  expect(placeholdersOf('{a} {b} {a} { c } {1}')).toEqual(['a', 'b'])
})
