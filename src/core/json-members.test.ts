import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { elementsOf, layoutOf, splice } from './json-members.ts'

const spaced = fc.constantFrom(undefined, 1, 3, '\t')

test('each member stands where the layout says, whatever the object', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), spaced, (object, space) => {
      const text = JSON.stringify(object, null, space)
      const json = Buffer.from(text)
      const { members, close } = layoutOf(json)
      expect(members.map(({ key, start, end }) => [key, JSON.parse(json.toString('utf8', start, end))])).toEqual(
        Object.entries(JSON.parse(text) as Record<string, unknown>),
      )
      expect(close).toBe(json.lastIndexOf('}'))
    }),
  )
})

test('each element of an array stands where it is said to, whatever the array', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), spaced, (array, space) => {
      const text = JSON.stringify(array, null, space)
      const json = Buffer.from(`[${text}]`)
      expect(
        elementsOf(json, { start: 1, end: json.length - 1 }).map(({ start, end }) =>
          JSON.parse(json.toString('utf8', start, end)),
        ),
      ).toEqual(JSON.parse(text))
    }),
  )
})

test('replacing one value leaves every other byte', () => {
  const json = Buffer.from('{ "a" : [ "}" , {"b":1.50} ], "\\u0062":12345678901234567890,"a":null }')
  const { members } = layoutOf(json)
  expect(members.map(({ key }) => key)).toEqual(['a', 'b', 'a'])
  const changed = splice(
    json,
    members.filter(({ key }) => key === 'b').map(({ start, end }) => ({ start, end, text: '"é"' })),
  )
  expect(changed.toString()).toBe('{ "a" : [ "}" , {"b":1.50} ], "\\u0062":"é","a":null }')
})

test('backslashes before a quote are counted', () => {
  const json = Buffer.from(String.raw`{"a\\":"x\\\"y\\","b":"\\\\"}`)
  expect(layoutOf(json).members.map(({ key, start, end }) => [key, json.toString('utf8', start, end)])).toEqual([
    ['a\\', String.raw`"x\\\"y\\"`],
    ['b', String.raw`"\\\\"`],
  ])
})

test('a byte order mark does not shift anything', () => {
  const json = Buffer.from('\uFEFF{"a":1}')
  expect(layoutOf(json).members.map(({ start, end }) => json.toString('utf8', start, end))).toEqual(['1'])
})

test('long strings end where they end, however many backslashes and quotes stand in them', () => {
  const text = fc.string({ unit: fc.constantFrom('\\', '"', 'a', 'é'), minLength: 30, maxLength: 120 })
  fc.assert(
    fc.property(text, text, (one, other) => {
      const json = Buffer.from(JSON.stringify({ [one]: other, last: [other] }))
      expect(layoutOf(json).members.map(({ start, end }) => JSON.parse(json.toString('utf8', start, end)))).toEqual(
        Object.values({ [one]: other, last: [other] }),
      )
    }),
  )
})
