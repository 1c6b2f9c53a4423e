import { expect, test } from 'vitest'
import { type DeclaredFamily, familiesOf } from './metric-families.ts'

const declared = (types: Record<string, DeclaredFamily['type']>) =>
  new Map(Object.entries(types).map(([name, type]) => [name, { type, help: '' }]))
const found = (samples: readonly string[], types: Record<string, DeclaredFamily['type']> = {}) =>
  familiesOf(new Set(samples), declared(types)).map(({ name, type }) => `${name} ${type}`)

test('the parts of a declared histogram or summary are one metric', () => {
  expect(found(['d_bucket', 'd_sum', 'd_count'], { d: 'histogram' })).toEqual(['d histogram'])
  expect(found(['s', 's_sum', 's_count', 's_created'], { s: 'summary' })).toEqual(['s summary'])
})

test('undeclared metrics are known by their names', () => {
  const samples = ['d_bucket', 'd_sum', 'd_count', 'a_total', 'b', 'queue_count', 'up']
  expect(found(samples)).toEqual(['a_total counter', 'b unknown', 'd histogram', 'queue_count unknown', 'up gauge'])
})

test('a declared name wins over what it looks like', () => {
  expect(found(['disk_bucket', 'x_sum'], { disk_bucket: 'gauge', x_sum: 'counter' })).toEqual([
    'disk_bucket gauge',
    'x_sum counter',
  ])
})

test('a counter of OpenMetrics keeps its _total and loses its _created', () => {
  expect(found(['a_total', 'a_created'], { a: 'counter' })).toEqual(['a_total counter'])
})
