import { expect, test } from 'vitest'
import { isStrictForOpenAi } from './openai-strict.ts'

const closed = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
})

test.each([
  closed({}),
  closed({ a: { type: ['string', 'null'] }, b: { type: 'array', items: closed({ c: { type: 'integer' } }) } }),
  closed({ a: { anyOf: [{ $ref: '#/$defs/x' }, { type: 'null' }] } }, { $defs: { x: closed({}) } }),
])('%j can be held to', (schema) => {
  expect(isStrictForOpenAi(schema)).toBe(true)
})

test.each([
  { type: 'object' },
  closed({ a: { type: 'string' } }, { required: [] }),
  closed({ a: { type: 'string' } }, { additionalProperties: undefined }),
  closed({ a: { type: 'array', items: { type: 'object', properties: {} } } }),
  closed({ a: { oneOf: [{ type: 'string' }] } }),
  closed({ a: { $ref: '#/$defs/x' } }, { $defs: { x: { type: 'object' } } }),
  closed({ a: true }),
])('%j is refused by OpenAI, so it is not asked for', (schema) => {
  expect(isStrictForOpenAi(schema)).toBe(false)
})
