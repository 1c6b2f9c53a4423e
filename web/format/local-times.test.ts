import { expect, test } from 'vitest'
import { findTimes } from './local-times.ts'

const NEAR = Date.UTC(2026, 10, 23, 0, 5)

test('a time of day in UTC is found and everything around it is kept', () => {
  expect(findTimes('full since 00:12:40 UTC, said at 00:13 UTC.', NEAR)).toEqual([
    { kind: 'text', text: 'full since ' },
    { kind: 'time', at: Date.UTC(2026, 10, 23, 0, 12, 40), seconds: true },
    { kind: 'text', text: ', said at ' },
    { kind: 'time', at: Date.UTC(2026, 10, 23, 0, 13), seconds: false },
    { kind: 'text', text: '.' },
  ])
})

test('a time before midnight belongs to the day before', () => {
  const before = { kind: 'time', at: Date.UTC(2026, 10, 22, 23, 58), seconds: false }
  expect(findTimes('23:58 UTC', NEAR)).toEqual([before])
  expect(findTimes('2026-11-22 23:58 UTC', NEAR)).toEqual([before])
})

test('what only looks like a time stays text', () => {
  for (const text of ['', '25:00 UTC', 'at 03:12:40', 'ratio 1:2', '2026-13-45 03:12 UTC', '03:12 UTCX'])
    expect(findTimes(text, NEAR).every(({ kind }) => kind === 'text')).toBe(true)
})
