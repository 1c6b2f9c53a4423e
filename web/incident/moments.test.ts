import { expect, test } from 'vitest'
import { diagnosed } from '../testing/fixtures.ts'
import { momentsOf } from './moments.ts'

test('the change and the onset stand before the first alert, in order of time', () => {
  const moments = momentsOf(diagnosed())
  const times = moments.map(({ at }) => at)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  const kinds = moments.map(({ kind }) => kind)
  expect(kinds.indexOf('deploy')).toBeLessThan(kinds.indexOf('onset'))
  expect(kinds.indexOf('onset')).toBeLessThan(kinds.indexOf('opened'))
})

test('while the cause is not known, nothing is presented as having led to it', () => {
  const view = diagnosed()
  const abstained = { ...view, report: view.report && { ...view.report, abstained: true } }
  expect(momentsOf(abstained).every(({ who }) => who === 'midwatch')).toBe(true)
})
